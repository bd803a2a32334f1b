//! What paths may lead to, and that nobody wins a race against it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::*;

const READ: OpenHow =
    OpenHow { read: true, write: false, append: false, create: false, exclusive: false, truncate: false, mode: 0 };
const WRITE: OpenHow = OpenHow { read: false, write: true, create: true, truncate: true, mode: 0o600, ..READ };

/// A directory with a worktree `tree` in it, and a file beside that nobody may reach.
struct Ground {
    directory: tempfile::TempDir,
    root: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap().join("tree");
        for path in ["pub/deep", "secret", "out"] {
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        for path in ["a.txt", "pub/a.txt", "pub/deep/a.txt", "secret/a.txt", "../outside.txt"] {
            std::fs::write(root.join(path), path).unwrap();
        }
        Self { directory, root }
    }

    fn files(&self, read: &[&str], write: &[&str]) -> SessionFiles {
        self.protecting(read, write, ProtectedFiles::default())
    }

    fn protecting(&self, read: &[&str], write: &[&str], protected: ProtectedFiles) -> SessionFiles {
        let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        let worktree = Worktree::open(&self.root).unwrap();
        SessionFiles::new(worktree, &self.root, &owned(read), &owned(write), protected)
    }

    fn outside(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("outside.txt")
    }
}

fn read(files: &SessionFiles, path: impl AsRef<Path>) -> Result<String, Errno> {
    let mut text = String::new();
    files.open(path.as_ref(), READ).map_err(|fault| fault.errno())?.read_to_string(&mut text).unwrap();
    Ok(text)
}

fn write(files: &SessionFiles, path: impl AsRef<Path>, text: &str) -> Result<(), Errno> {
    let mut file = files.open(path.as_ref(), WRITE).map_err(|fault| fault.errno())?;
    file.write_all(text.as_bytes()).unwrap();
    Ok(())
}

#[test]
fn paths_are_found_as_node_finds_them() {
    let ground = Ground::new();
    let files = ground.files(&["."], &["."]);
    let root = ground.root.to_str().unwrap();
    for (path, found) in [
        ("a.txt", Ok("a.txt")),
        ("./pub//./a.txt", Ok("pub/a.txt")),
        ("pub/../a.txt", Ok("a.txt")),
        ("pub/deep/../../secret/a.txt", Ok("secret/a.txt")),
        ("../tree/a.txt", Ok("a.txt")),
        (&format!("{root}/a.txt"), Ok("a.txt")),
        (&format!("//{root}/./pub/../a.txt"), Ok("a.txt")),
        (&format!("{root}/../tree/a.txt"), Ok("a.txt")),
        ("missing/../a.txt", Err(Errno::NOENT)),
        ("", Err(Errno::NOENT)),
        ("missing", Err(Errno::NOENT)),
        ("a.txt/b", Err(Errno::NOTDIR)),
        ("a.txt/", Err(Errno::NOTDIR)),
        ("pub", Err(Errno::ISDIR)),
        (".", Err(Errno::ISDIR)),
        (root, Err(Errno::ISDIR)),
        ("..", Err(Errno::ACCESS)),
        ("../outside.txt", Err(Errno::ACCESS)),
        ("pub/../../outside.txt", Err(Errno::ACCESS)),
        (&format!("{root}/../outside.txt"), Err(Errno::ACCESS)),
        (&format!("{root}2/a.txt"), Err(Errno::ACCESS)),
        ("/", Err(Errno::ACCESS)),
        ("/etc/passwd", Err(Errno::ACCESS)),
        ("/proc/self/root/etc/passwd", Err(Errno::ACCESS)),
        ("/proc/self/cwd", Err(Errno::ACCESS)),
        ("a\0b", Err(Errno::INVAL)),
        (&"n".repeat(300), Err(Errno::NAMETOOLONG)),
        (&"n/".repeat(3000), Err(Errno::NAMETOOLONG)),
    ] {
        assert_eq!(read(&files, path), found.map(str::to_owned), "{path}");
    }
    let real = |path: &str| files.real_path(Path::new(path)).map_err(|fault| fault.errno());
    symlink("pub/deep", ground.root.join("short")).unwrap();
    assert_eq!(real("short/../a.txt"), Ok(ground.root.join("pub/a.txt")), "a link is followed before its `..`");
    assert_eq!(real("."), Ok(ground.root.clone()));
    assert_eq!(files.read_link(Path::new("short")), Ok("pub/deep".into()));
    assert_eq!(files.read_link(Path::new("pub")).unwrap_err().errno(), Errno::INVAL);
}

#[test]
fn a_worktree_may_be_named_by_a_link() {
    let ground = Ground::new();
    let link = ground.directory.path().join("link");
    symlink(&ground.root, &link).unwrap();
    let all = [".".to_owned()];
    let files = SessionFiles::new(Worktree::open(&link).unwrap(), &link, &all, &all, ProtectedFiles::default());
    assert_eq!(read(&files, link.join("a.txt")).as_deref(), Ok("a.txt"));
    assert_eq!(read(&files, ground.root.join("a.txt")).as_deref(), Ok("a.txt"));
    assert_eq!(files.real_path(&link.join("a.txt")).unwrap(), ground.root.join("a.txt"));
}

#[test]
fn links_lead_no_further_than_the_grant() {
    let ground = Ground::new();
    let link = |target: &str, name: &str| symlink(target, ground.root.join(name)).unwrap();
    link("a.txt", "pub/near");
    link("deep/../deep/a.txt", "pub/inner");
    link("../secret/a.txt", "pub/file");
    link("../secret", "pub/dir");
    link("../../outside.txt", "pub/out");
    link("/etc/passwd", "pub/absolute");
    link(ground.root.join("pub/a.txt").to_str().unwrap(), "pub/self");
    link("/proc/self/root/etc/passwd", "pub/proc");
    link("/dev/stdin", "pub/stdin");
    link("loop2", "pub/loop");
    link("loop", "pub/loop2");
    link("nowhere", "pub/dangling");
    link("../secret/new", "pub/dangling-out");
    link("../../new.txt", "pub/dangling-far");
    let files = ground.files(&["pub"], &["pub"]);
    for (path, found) in [
        ("pub/near", Ok("pub/a.txt")),
        ("pub/inner", Ok("pub/deep/a.txt")),
        ("pub/file", Err(Errno::ACCESS)),
        ("pub/dir/a.txt", Err(Errno::ACCESS)),
        ("pub/dir/../pub/a.txt", Err(Errno::ACCESS)),
        ("pub/out", Err(Errno::ACCESS)),
        ("pub/absolute", Err(Errno::ACCESS)),
        ("pub/self", Err(Errno::ACCESS)),
        ("pub/proc", Err(Errno::ACCESS)),
        ("pub/stdin", Err(Errno::ACCESS)),
        ("pub/loop", Err(Errno::LOOP)),
        ("pub/dangling", Err(Errno::NOENT)),
        ("pub/../secret/a.txt", Err(Errno::ACCESS)),
        ("secret/../pub/a.txt", Ok("pub/a.txt")),
        ("secret/a.txt", Err(Errno::ACCESS)),
        ("a.txt", Err(Errno::ACCESS)),
        (".", Err(Errno::ACCESS)),
        ("public/a.txt", Err(Errno::ACCESS)),
    ] {
        assert_eq!(read(&files, path), found.map(str::to_owned), "{path}");
        let fault = files.metadata(Path::new(path), true).map(drop).map_err(|fault| fault.errno());
        assert_eq!(fault.err(), found.err(), "metadata of {path}");
    }
    for path in ["pub/file", "pub/dir/a.txt", "pub/out", "pub/dangling-out", "pub/dangling-far", "pub/dir/new", "new"] {
        assert_eq!(write(&files, path, "x"), Err(Errno::ACCESS), "{path}");
    }
    assert_eq!(files.entry(Path::new("pub/dir/a.txt")).unwrap_err().errno(), Errno::ACCESS);
    assert_eq!(read(&ground.files(&["."], &[]), "secret/a.txt").unwrap(), "secret/a.txt");
    assert!(!ground.root.join("secret/new").exists() && !ground.directory.path().join("new.txt").exists());
    // A link itself may be looked at and removed.
    assert!(files.metadata(Path::new("pub/file"), false).unwrap().is_symlink());
    files.entry(Path::new("pub/dir")).unwrap().unlink().unwrap();
    assert!(ground.root.join("secret").exists());
    write(&files, "pub/dangling", "made").unwrap();
    assert_eq!(std::fs::read_to_string(ground.root.join("pub/nowhere")).unwrap(), "made");
}

#[test]
fn reading_and_writing_are_granted_apart() {
    let ground = Ground::new();
    let files = ground.files(&["pub", "a.txt"], &["out", "log.txt", "pub/deep"]);
    let errno = |result: Result<(), Fault>| result.map_err(|fault| fault.errno());
    assert_eq!(read(&files, "a.txt").unwrap(), "a.txt");
    assert_eq!(write(&files, "a.txt", ""), Err(Errno::ACCESS));
    assert_eq!(write(&files, "pub/a.txt", ""), Err(Errno::ACCESS));
    write(&files, "log.txt", "1").unwrap();
    write(&files, "out/x", "2").unwrap();
    assert_eq!(read(&files, "out/x"), Err(Errno::ACCESS));
    assert_eq!(files.metadata(Path::new("out/x"), true).unwrap().len(), 1, "whoever may write may know what is there");
    let both = OpenHow { read: true, write: true, ..OpenHow::default() };
    assert!(files.open(Path::new("pub/deep/a.txt"), both).is_ok());
    assert_eq!(files.open(Path::new("pub/a.txt"), both).unwrap_err().errno(), Errno::ACCESS);
    assert_eq!(files.open(Path::new("out/x"), both).unwrap_err().errno(), Errno::ACCESS);

    // What cannot be read cannot be moved to where it could.
    let rename = |from: &str, to: &str| errno(files.rename(Path::new(from), Path::new(to)));
    assert_eq!(rename("out/x", "pub/deep/x"), Err(Errno::ACCESS));
    assert_eq!(rename("out/x", "out/y"), Ok(()));
    assert_eq!(rename("pub/deep/a.txt", "out/a"), Ok(()));
    let files = ground.files(&["pub/deep"], &["."]);
    let rename = |from: &str, to: &str| errno(files.rename(Path::new(from), Path::new(to)));
    assert_eq!(rename("secret", "pub2"), Err(Errno::ACCESS));
    symlink("pub/deep", ground.root.join("short")).unwrap();
    assert_eq!(rename("secret/a.txt", "short/a.txt"), Err(Errno::ACCESS));

    let message = files.open(Path::new("secret/a.txt"), READ).unwrap_err().at("open", "secret/a.txt");
    assert_eq!(
        message.message(),
        "EACCES: permission denied, open 'secret/a.txt' (not granted; granted are, in the worktree, to read: \
         \"pub/deep\"; to write: \".\")"
    );
    let none = ground.files(&[], &[]);
    for path in ["a.txt", ".", "/", "missing"] {
        assert_eq!(none.metadata(Path::new(path), true).unwrap_err().errno(), Errno::ACCESS, "{path}");
    }
}

#[test]
fn a_granted_path_is_no_link() {
    let ground = Ground::new();
    symlink("secret", ground.root.join("grant")).unwrap();
    symlink("secret/a.txt", ground.root.join("grant.txt")).unwrap();
    let files = ground.files(&["grant", "grant.txt", "fresh"], &["grant", "grant.txt", "fresh"]);
    for path in ["grant/a.txt", "grant.txt", "grant", "grant/", "grant/."] {
        assert_eq!(read(&files, path), Err(Errno::ACCESS), "{path}");
        assert_eq!(write(&files, path, ""), Err(Errno::ACCESS), "{path}");
        assert_eq!(files.metadata(Path::new(path), true).unwrap_err().errno(), Errno::ACCESS, "{path}");
        assert_eq!(files.open_dir(Path::new(path), Access::Read).unwrap_err().errno(), Errno::ACCESS, "{path}");
        assert_eq!(files.real_path(Path::new(path)).unwrap_err().errno(), Errno::ACCESS, "{path}");
    }
    // One that is not there yet can be made.
    assert_eq!(write(&files, "fresh/x", ""), Err(Errno::NOENT));
    files.entry(Path::new("fresh/")).unwrap().make_dir(0o755).unwrap();
    write(&files, "fresh/x", "1").unwrap();
    assert_eq!(read(&files, "fresh/x").unwrap(), "1");
}

#[test]
fn only_regular_files_are_opened() {
    let ground = Ground::new();
    let files = ground.files(&["."], &["."]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        ground.root.join("fifo"),
        rustix::fs::FileType::Fifo,
        Mode::from_bits_truncate(0o600),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(ground.root.join("socket")).unwrap();
    for name in ["fifo", "socket"] {
        assert_eq!(read(&files, name), Err(Errno::ACCESS), "{name}");
        assert_eq!(write(&files, name, ""), Err(Errno::ACCESS), "{name}");
        assert_eq!(files.open_to_describe(Path::new(name)).unwrap_err().errno(), Errno::ACCESS, "{name}");
    }
    assert_eq!(write(&files, "pub", ""), Err(Errno::ISDIR));
    assert!(files.open_to_describe(Path::new("pub")).is_ok());
}

#[test]
fn the_daemons_database_is_out_of_reach() {
    let ground = Ground::new();
    let data = ground.root.join("data/inner");
    std::fs::create_dir_all(&data).unwrap();
    let database = data.join("vm.db");
    let store = crate::store::Store::open(Some(&database), crate::Durability::Normal).unwrap();
    let protected = ProtectedFiles::of(store.path());
    let files = ground.protecting(&["."], &["."], protected);
    std::fs::hard_link(&database, ground.root.join("hard")).unwrap();
    std::fs::hard_link(data.join("vm.db-wal"), ground.root.join("hard-wal")).unwrap();
    symlink("data/inner/vm.db", ground.root.join("soft")).unwrap();
    symlink("data/inner/vm.db-journal", ground.root.join("soft-journal")).unwrap();
    let before = std::fs::read(&database).unwrap();

    let denied = |result: Result<(), Fault>| assert_eq!(result.unwrap_err().errno(), Errno::ACCESS);
    let paths = ["data/inner/vm.db", "data/inner/vm.db-wal", "data/inner/vm.db-shm", "data/inner/vm.db.lock"];
    for path in paths.iter().chain(&["hard", "hard-wal"]) {
        denied(files.open(Path::new(path), READ).map(drop));
        denied(files.open(Path::new(path), WRITE).map(drop));
        denied(files.open_to_describe(Path::new(path)).map(drop));
        denied(files.entry(Path::new(path)).map(drop));
        denied(files.rename(Path::new(path), Path::new("stolen")));
        denied(files.rename(Path::new("a.txt"), Path::new(path)));
    }
    denied(files.open(Path::new("soft"), READ).map(drop));
    denied(files.open(Path::new("soft"), WRITE).map(drop));
    // What SQLite would take for a journal to play back cannot be put there.
    denied(files.open(Path::new("data/inner/vm.db-journal"), WRITE).map(drop));
    denied(files.entry(Path::new("data/inner/vm.db-journal")).map(drop));
    denied(files.rename(Path::new("a.txt"), Path::new("data/inner/VM.db-journal")));
    denied(files.open(Path::new("soft-journal"), WRITE).map(drop));
    // Nor can a directory above be moved.
    denied(files.rename(Path::new("data"), Path::new("moved")));
    denied(files.rename(Path::new("data/inner"), Path::new("moved")));
    // What lies beside it is anybody's.
    write(&files, "data/inner/notes.txt", "x").unwrap();
    files.rename(Path::new("soft"), Path::new("softer")).unwrap();
    assert_eq!(std::fs::read(&database).unwrap(), before);
    drop(store);
}

/// Runs something often while another thread swaps `tree/swap` between a directory and a link that leads out.
fn while_swapping(ground: &Ground, target: &Path, rounds: u32, mut attempt: impl FnMut(u32)) {
    let (root, done) = (&ground.root, &AtomicBool::new(false));
    std::fs::create_dir_all(root.join("honest")).unwrap();
    std::fs::write(root.join("honest/a.txt"), "honest").unwrap();
    symlink(target, root.join("trap")).unwrap();
    std::fs::rename(root.join("honest"), root.join("swap")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                std::fs::rename(root.join("swap"), root.join("honest")).unwrap();
                std::fs::rename(root.join("trap"), root.join("swap")).unwrap();
                std::fs::rename(root.join("swap"), root.join("trap")).unwrap();
                std::fs::rename(root.join("honest"), root.join("swap")).unwrap();
            }
        });
        (0..rounds).for_each(&mut attempt);
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn nobody_wins_a_race_with_a_link() {
    let ground = Ground::new();
    let outside = ground.directory.path().canonicalize().unwrap().join("elsewhere");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("a.txt"), "outside").unwrap();
    let files = ground.files(&["."], &["."]);
    let (mut read_well, mut wrote_well) = (0, 0);
    while_swapping(&ground, &outside, 4_000, |round| {
        if let Ok(text) = read(&files, "swap/a.txt") {
            assert_eq!(text, "honest");
            read_well += 1;
        }
        if let Ok(metadata) = files.metadata(Path::new("swap/a.txt"), true) {
            assert_eq!(metadata.len(), 6);
        }
        wrote_well += u32::from(write(&files, format!("swap/{round}"), "x").is_ok());
        let _ = files.rename(&PathBuf::from(format!("swap/{round}")), Path::new("moved"));
        let _ = files.rename(Path::new("moved"), &PathBuf::from(format!("swap/{round}")));
        if let Ok(entry) = files.entry(Path::new("swap/a.txt")) {
            let _ = entry.dir.symlink_metadata("x");
        }
        if let Ok(entry) = files.entry(&PathBuf::from(format!("swap/{round}"))) {
            let _ = entry.unlink();
        }
        if let Ok(entry) = files.entry(&PathBuf::from(format!("swap/d{round}"))) {
            let _ = entry.make_dir(0o700);
            let _ = entry.remove_dir();
        }
    });
    assert!(read_well > 0 && wrote_well > 0, "the honest directory was there at times");
    let left: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a.txt"]);
    assert_eq!(std::fs::read_to_string(outside.join("a.txt")).unwrap(), "outside");
    assert_eq!(std::fs::read_to_string(ground.outside()).unwrap(), "../outside.txt");
}

#[test]
fn nobody_wins_a_race_within_the_worktree() {
    let ground = Ground::new();
    // What is not granted, in the same worktree: also where a grant itself is what is swapped.
    let files = ground.files(&["swap"], &["swap"]);
    let mut read_well = 0;
    while_swapping(&ground, Path::new("secret"), 4_000, |round| {
        if let Ok(text) = read(&files, "swap/a.txt") {
            assert_eq!(text, "honest");
            read_well += 1;
        }
        if write(&files, format!("swap/{round}"), "x").is_ok()
            && let Ok(entry) = files.entry(&PathBuf::from(format!("swap/{round}")))
        {
            let _ = entry.unlink();
        }
    });
    assert!(read_well > 0);
    assert_eq!(std::fs::read_dir(ground.root.join("secret")).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_words_lead_out(text in "(/|\\.|\\.\\.|pub|secret|tree|deep|a\\.txt|link){0,9}") {
        static GROUND: std::sync::LazyLock<Ground> = std::sync::LazyLock::new(|| {
            let ground = Ground::new();
            symlink("../../tree/secret/..", ground.root.join("pub/link")).unwrap();
            symlink("../outside.txt", ground.root.join("link")).unwrap();
            ground
        });
        let all = read(&GROUND.files(&["."], &["."]), &text);
        prop_assert!(!all.is_ok_and(|found| found.starts_with("..")), "{}", text);
        let some = read(&GROUND.files(&["pub"], &[]), &text);
        prop_assert!(some.is_err() || some.as_ref().is_ok_and(|found| found.starts_with("pub/")), "{}", text);
    }
}
