//! What programs are kept from, tried by programs; and that ordinary ones get on with their work.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::isolation::Sandbox;
use crate::limits::Limits;
use crate::modules::ProtectedFiles;
use crate::modules::exec::tests::{Bench, options, property};
use crate::modules::testing::{session, session_with};
use crate::value::Value;

fn bench(sandbox: Sandbox) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let session = session(directory.path());
    Bench::of(directory, session, sandbox, json!({}))
}

/// A bench whose session may use parts of its directory.
fn granting(read: &[&str], write: &[&str], prepare: impl FnOnce(&Path) -> ProtectedFiles) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let protected = prepare(directory.path());
    let session = session_with(directory.path(), read, write, protected);
    Bench::of(directory, session, Sandbox::Require, json!({}))
}

fn with_network() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut session = session(directory.path());
    session.network = true;
    Bench::of(directory, session, Sandbox::Require, json!({}))
}

/// Something that is none of the session's: what another session's worktree, or a home directory, is to it.
fn outside() -> TempDir {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::create_dir(outside.path().join("directory")).unwrap();
    outside
}

#[track_caller]
fn is_refused(bench: &mut Bench, script: &str) {
    let ran = bench.run("bash", &["-c", script], Value::Null);
    let Err(error) = ran else { panic!("{script} worked: {ran:?}") };
    let words = property(&error, "stderr").as_str().unwrap().to_owned();
    // The last is what Landlock answers when a name would be moved between places of different rules.
    let refusals = ["Permission denied", "not permitted", "Invalid cross-device link"];
    assert!(refusals.iter().any(|refusal| words.contains(refusal)), "{script}: {words}");
}

fn exists(program: &str) -> bool {
    ["/usr/local/bin", "/usr/bin", "/bin"].iter().any(|directory| Path::new(directory).join(program).exists())
}

#[test]
fn files_outside_are_out_of_reach() {
    let mut bench = bench(Sandbox::Require);
    let outside = outside();
    let out = outside.path().display();
    symlink(outside.path(), bench.path().join("link")).unwrap();
    fs::write(bench.path().join("mine"), "mine").unwrap();
    let me = std::process::id();
    for script in [
        format!("cat {out}/secret"),
        format!("ls {out}"),
        "cat link/secret".to_owned(),
        format!("cat /proc/{me}/root{out}/secret"),
        format!("cat /proc/{me}/environ"),
        format!("cat /proc/{me}/mem"),
        format!("cat /proc/{me}/fd/0"),
        format!("echo x > {out}/new"),
        format!("echo x >> {out}/secret"),
        format!("truncate -s 0 {out}/secret"),
        format!("rm {out}/secret"),
        format!("rmdir {out}/directory"),
        format!("mkdir {out}/new"),
        format!("mv {out}/secret ."),
        format!("mv mine {out}/mine"),
        format!("ln {out}/secret hard"),
        format!("ln -s x {out}/new"),
        format!("cp /bin/true {out}/true"),
        "echo x > /usr/vmsys-test".to_owned(),
        "echo x > /tmp/vmsys-test".to_owned(),
        "echo x > /dev/shm/vmsys-test".to_owned(),
        "echo 1 > /proc/sys/kernel/printk".to_owned(),
        "ls /var/log".to_owned(),
        "ls /root /home".to_owned(),
        "ls /tmp".to_owned(),
        format!("kill -0 {me}"),
        format!("kill -CONT {me}"),
        format!("prlimit --pid {me} --cpu=1"),
        format!("renice -n 19 -p {me}"),
        format!("taskset -p 1 {me}"),
        "unshare --user true".to_owned(),
        "mknod device b 7 0".to_owned(),
    ] {
        is_refused(&mut bench, &script);
    }
    let home = std::env::home_dir().unwrap();
    is_refused(&mut bench, &format!("ls {}", home.display()));
    for (path, script) in [
        ("/etc/shadow", "cat /etc/shadow"),
        ("/etc/ssl/private", "ls /etc/ssl/private"),
        ("/proc/kcore", "head -c 1 /proc/kcore"),
    ] {
        if Path::new(path).exists() {
            is_refused(&mut bench, script);
        }
    }
    // A program that lies outside is none, whatever its mode; nor is one that a link leads to.
    fs::copy("/bin/true", outside.path().join("true")).unwrap();
    let error = bench.run(outside.path().join("true").to_str().unwrap(), &[], Value::Null).unwrap_err();
    assert_eq!(error.code(), Some("EACCES"));
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 3);
}

#[test]
fn what_is_granted_binds_programs() {
    let mut bench = granting(&["in", "file"], &["out", "missing", "link"], |path| {
        for name in ["in", "out", "other"] {
            fs::create_dir(path.join(name)).unwrap();
            fs::write(path.join(name).join("a"), name).unwrap();
        }
        fs::write(path.join("file"), "file").unwrap();
        symlink("other", path.join("link")).unwrap();
        ProtectedFiles::default()
    });
    let inside = options([("cwd", "in".into())]);
    let mut sh = |script: &str| bench.run("sh", &["-c", script], inside.clone());
    assert_eq!(sh("cat a ../file").unwrap(), "infile");
    sh("echo b > ../out/b; rm ../out/a; mkdir ../out/c").unwrap();
    for script in ["echo b > b", "rm a", "cat ../out/b", "ls ../out", "cat ../other/a", "ls ..", "echo x > ../other/b"]
    {
        sh(script).unwrap_err();
    }
    for script in ["echo x > ../file", "mkdir ../missing", "echo x > ../link/b", "cat ../link/a", "mv ../out/b ."] {
        sh(script).unwrap_err();
    }
    assert_eq!(fs::read_to_string(bench.path().join("out/b")).unwrap(), "b\n");
    assert_eq!(fs::read_dir(bench.path().join("other")).unwrap().count(), 1);
}

#[test]
fn ordinary_programs_get_on_with_their_work() {
    let mut bench = bench(Sandbox::Require);
    let c = "#include <stdio.h>\nint main(void) { puts(\"compiled\"); return 0; }\n";
    fs::write(bench.path().join("a.c"), c).unwrap();
    fs::write(
        bench.path().join("package.json"),
        r#"{"name": "p", "version": "1.0.0", "scripts": {"hi": "echo hi > hi.txt && cat hi.txt"}}"#,
    )
    .unwrap();
    fs::write(bench.path().join("tool"), "#!/usr/bin/env sh\necho tool\n").unwrap();
    for (program, script, says) in [
        (
            "sh",
            "echo a > a && cat a && mv a b && cp b c && ln c d && ln -s d e && cat e && rm a.c.o -f b c d e",
            "a\na",
        ),
        ("bash", "cat <<< here; cat <(echo there); echo x > /dev/null; echo out > /dev/stdout", "here\nthere\nout"),
        ("sh", "chmod +x tool && ./tool", "tool"),
        ("mktemp", "f=$(mktemp) && echo t > $f && cat $f && d=$(mktemp -d) && touch $d/x && echo $?", "t\n0"),
        ("mkfifo", "mkfifo f && (echo through > f &) && cat f && rm f", "through"),
        ("sort", "seq 1 200000 | sort -S 1M -n -r | head -n 1", "200000"),
        ("id", "id -u", ""),
        ("nproc", "nproc > /dev/null && date > /dev/null && df . > /dev/null && ps > /dev/null; echo $?", "0"),
        (
            "tar",
            "tar cf t.tar a.c && mkdir t && tar xf t.tar -C t && cmp a.c t/a.c && rm -r t t.tar && echo same",
            "same",
        ),
        ("cc", "cc -O2 -o program a.c && ./program", "compiled"),
        ("make", "printf 'all: ; @echo made' > Makefile && make -s -j2", "made"),
        ("perl", "perl -e 'print \"perl\"'", "perl"),
        (
            "python3",
            "python3 -c 'import subprocess, tempfile, multiprocessing as m\n\
             f = tempfile.TemporaryFile(); q = m.Pipe(); s = subprocess.run([\"echo\", \"sub\"]); print(\"python\")'",
            "sub\npython",
        ),
        (
            "git",
            "git init -q . && git config user.name n && git config user.email e@e && git add a.c && git commit -qm one && \
             git log --format=%s && git clone -q . copy && git -C copy gc -q && git -C copy fsck && ls copy && rm -rf .git copy",
            "one\na.c",
        ),
        (
            "node",
            "node -e 'const c = require(\"child_process\"); console.log(c.execSync(\"echo child\") + os.tmpdir().slice(0, 16)); \
             new Worker(\"\", {eval: true}); function Worker(...a) { return new (require(\"worker_threads\").Worker)(...a) }'",
            "child\n/tmp/vm-session-",
        ),
        ("npm", "npm --offline run -s hi && npm --offline pack --silent && rm p-*.tgz", "hi"),
    ] {
        if !exists(program) {
            continue;
        }
        let timeout = options([("timeout", 20_000.into())]);
        let ran = bench.run("bash", &["-c", &format!("set -e; {script}")], timeout);
        let output = ran.unwrap_or_else(|error| panic!("{program}: {error:?}"));
        assert!(output.trim().starts_with(says), "{program}: {output}");
    }
}

#[test]
fn the_network_is_there_with_a_capability_only() {
    let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let place = outside();
    let (stream, datagrams) = (place.path().join("stream"), place.path().join("datagrams"));
    let _stream = UnixListener::bind(&stream).unwrap();
    let datagrams_end = UnixDatagram::bind(&datagrams).unwrap();
    datagrams_end.set_nonblocking(true).unwrap();
    let tcp = format!("exec 3<>/dev/tcp/127.0.0.1/{}", tcp.local_addr().unwrap().port());
    let udp = format!("echo x >/dev/udp/127.0.0.1/{}", udp.local_addr().unwrap().port());
    let python = |body: &str| format!("python3 -c '\nimport socket as s\n{body}'");
    let others = [
        python(&format!("s.socket(s.AF_UNIX).connect(\"{}\")", stream.display())),
        python(&format!("s.socketpair(s.AF_UNIX, s.SOCK_DGRAM)[0].sendto(b\"x\", \"{}\")", datagrams.display())),
        python("s.socketpair(s.AF_UNIX, s.SOCK_RAW)"),
        python("s.socket(s.AF_INET, s.SOCK_RAW, 1)"),
        python("s.socket(s.AF_PACKET, s.SOCK_RAW)"),
        python("s.socket(s.AF_NETLINK, s.SOCK_RAW)"),
        python("s.socket(s.AF_VSOCK, s.SOCK_STREAM)"),
        python("s.socket(s.AF_ALG, s.SOCK_SEQPACKET)"),
    ];
    let pair = python("one, other = s.socketpair(); one.send(b\"x\")");
    let serve = python("l = s.create_server((\"127.0.0.1\", 0)); s.create_connection(l.getsockname())");
    let names = python("print(s.getaddrinfo(\"localhost\", 80)[0][4][1])");

    let mut closed = bench(Sandbox::Require);
    is_refused(&mut closed, &tcp);
    is_refused(&mut closed, &udp);
    let mut open = with_network();
    open.run("bash", &["-c", &tcp], Value::Null).unwrap();
    open.run("bash", &["-c", &udp], Value::Null).unwrap();
    if !exists("python3") {
        return;
    }
    is_refused(&mut closed, &serve);
    assert_eq!(open.sh(&names).unwrap(), "80\n");
    open.sh(&serve).unwrap();
    for bench in [&mut closed, &mut open] {
        others.iter().for_each(|script| is_refused(bench, script));
        bench.sh(&pair).unwrap();
    }
    assert!(datagrams_end.recv(&mut [0]).is_err(), "nothing has come");
}

/// What no program does by its own: by number, as whoever attacks does.
#[test]
fn calls_that_lead_around_are_refused() {
    if !exists("perl") {
        return;
    }
    for mut bench in [bench(Sandbox::Require), with_network()] {
        let mut call = |number: i64, arguments: &str| {
            let script = format!("my $n = {number}; syscall($n{arguments}); print $! + 0");
            bench.run("perl", &["-e", &script], Value::Null).unwrap().parse::<i32>().unwrap()
        };
        for (number, arguments) in [
            (libc::SYS_clone, format!(", {}, 0, 0, 0, 0", libc::CLONE_NEWUSER | libc::SIGCHLD)),
            (libc::SYS_unshare, format!(", {}", libc::CLONE_NEWTIME)),
            (libc::SYS_keyctl, ", 0, 0, 0".to_owned()),
            (libc::SYS_shmget, ", 0, 4096, 950".to_owned()),
            (libc::SYS_msgget, ", 0, 950".to_owned()),
            (libc::SYS_bpf, ", 0, 0, 0".to_owned()),
            (libc::SYS_prlimit64, ", 1, 0, 0, 0".to_owned()),
            (libc::SYS_setpriority, ", 2, 0, 19".to_owned()),
            (libc::SYS_sched_setscheduler, ", 1, 5, 0".to_owned()),
        ] {
            assert_eq!(call(number, &arguments), libc::EPERM, "{number}");
        }
        for number in [libc::SYS_clone3, libc::SYS_io_uring_setup] {
            assert_eq!(call(number, ", 0, 0"), libc::ENOSYS, "{number}");
        }
        if cfg!(target_arch = "x86_64") {
            let second = 0x4000_0000;
            assert_eq!(call(second + libc::SYS_socket, ", 1, 1, 0"), libc::ENOSYS);
        }
    }
}

#[test]
fn a_program_has_limits_of_the_systems() {
    let mut bench = bench(Sandbox::Require);
    assert_eq!(
        bench.sh("ulimit -t; ulimit -c; ulimit -n; ulimit -d; ulimit -f").unwrap(),
        "5\n0\n1024\n1048576\n2097152\n"
    );
    let status = bench.run("cat", &["/proc/self/status"], Value::Null).unwrap();
    let says = |line: &str| assert!(status.lines().any(|other| other == line), "{line}: {status}");
    says("NoNewPrivs:\t1");
    says("Seccomp:\t2");
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:\t")).unwrap();
    // Of root's: those about files' owners and modes, without which root's programs could not use others' worktrees.
    assert!(["0000000000000000", "000000000000001a"].contains(&capabilities), "{capabilities}");
    let error = bench.run("sh", &["-c", "dd if=/dev/zero of=big bs=1M seek=1023 count=2"], Value::Null).unwrap_err();
    assert!(property(&error, "stderr").as_str().unwrap().contains("File size limit exceeded"), "{error:?}");

    let directory = tempfile::tempdir().unwrap();
    let mut short = session(directory.path());
    short.limits = Limits { cpu_ms: 100, ..Limits::default() };
    let mut short = Bench::of(directory, short, Sandbox::Off, json!({}));
    let error = short.sh("while :; do :; done").unwrap_err();
    assert_eq!(property(&error, "signal"), &"SIGXCPU".into(), "{error:?}");
}

#[test]
fn what_takes_too_much_ends_with_its_execution() {
    let mut bench = bench(Sandbox::Require);
    if exists("python3") {
        let error = bench.run("python3", &["-c", "x = bytearray(2 << 30)"], Value::Null).unwrap_err();
        assert!(property(&error, "stderr").as_str().unwrap().contains("MemoryError"), "{error:?}");
    }
    // Slow enough to be a few dozen when it is ended. What root starts has no bound of processes, and thousands of them
    // take a busy machine of two processors minutes to end.
    let timeout = options([("timeout", 500.into())]);
    let begun = Instant::now();
    let mark = bench.path().file_name().unwrap().to_str().unwrap().to_owned();
    let script = format!("f() {{ sleep 0.12; : {mark}; f & f & }}; f; wait; sleep 60");
    let error = bench.run("bash", &["-c", &script], timeout).unwrap_err();
    assert_eq!(error.code(), Some("ETIMEDOUT"));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let of_it = || {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines.filter(|line| String::from_utf8_lossy(line).contains(&mark)).count()
    };
    while of_it() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} live on", of_it());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_daemons_database_is_out_of_reach() {
    // In the worktree nothing could be taken out of what is granted: there is no program.
    for name in ["own.db", "data/own.db"] {
        let mut bench = granting(&["."], &["."], |path| database(&path.join(name)));
        let error = bench.sh("true").unwrap_err();
        assert_eq!(error.code(), Some("ERR_SANDBOX"));
        assert!(error.message().contains("the database of vm-system itself lies in"), "{error}");
    }
    // In a part that is not granted it is as everything else there.
    let mut bench = granting(&["src"], &["src"], |path| {
        fs::create_dir(path.join("src")).unwrap();
        database(&path.join("data/own.db"))
    });
    let inside = options([("cwd", "src".into())]);
    assert_eq!(bench.run("cat", &["../data/own.db"], inside.clone()).unwrap_err().code(), None);
    assert_eq!(bench.run("echo", &["works"], inside).unwrap(), "works\n");

    // In a directory of programs the others remain.
    let programs = tempfile::tempdir().unwrap();
    let protected = database(&programs.path().join("data/own.db"));
    for place in ["tool", "data/neighbour"] {
        fs::copy("/bin/cat", programs.path().join(place)).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let session = session_with(directory.path(), &["."], &["."], protected);
    let mut bench = Bench::of(directory, session.clone(), Sandbox::Require, json!({}));
    let search = format!("/usr/bin:/bin:{}", programs.path().display());
    let module = super::super::ExecModule::new(Sandbox::Require).with_search_path(&search);
    bench.exec = crate::modules::testing::open(&module, &session, json!({}));
    let data = programs.path().join("data");
    let data = data.display();
    assert_eq!(bench.run("tool", &["/dev/null"], Value::Null).unwrap(), "");
    assert_eq!(bench.sh(&format!("{data}/neighbour /dev/null")).unwrap(), "");
    for name in ["own.db", "own.db-wal", "own.db.lock"] {
        is_refused(&mut bench, &format!("cat {data}/{name}"));
        is_refused(&mut bench, &format!("echo x > {data}/{name}"));
    }
}

fn database(path: &Path) -> ProtectedFiles {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for suffix in ["", "-wal", ".lock"] {
        fs::write(format!("{}{suffix}", path.display()), "pages").unwrap();
    }
    ProtectedFiles::of(Some(&fs::canonicalize(path).unwrap()))
}

#[test]
fn off_is_off() {
    let mut bench = bench(Sandbox::Off);
    let outside = outside();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let out = outside.path().display();
    assert_eq!(bench.sh(&format!("cat {out}/secret; echo x > {out}/new; ls {out} | wc -l")).unwrap(), "secret3\n");
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port());
    bench.run("bash", &["-c", &connect], Value::Null).unwrap();
    let status = bench.run("cat", &["/proc/self/status"], Value::Null).unwrap();
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let of = |status: &str, name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    for name in ["Seccomp:", "CapBnd:", "CapEff:"] {
        assert_eq!(of(&status, name), of(&own, name));
    }
    assert_eq!(of(&status, "NoNewPrivs:"), "NoNewPrivs:\t1", "that one always");
}

#[test]
fn temporary_files_go_with_their_session() {
    let mut bench = bench(Sandbox::Require);
    let place = bench.sh("touch $TMPDIR/a && mkdir $TMPDIR/b && ln -s / $TMPDIR/c && echo $TMPDIR").unwrap();
    let place = Path::new(place.trim()).to_owned();
    assert_eq!(bench.sh("ls $TMPDIR").unwrap(), "a\nb\nc\n", "the next program has them, too");
    // Another session does not see them.
    let mut other = self::bench(Sandbox::Require);
    is_refused(&mut other, &format!("ls {}", place.display()));
    // Somebody tidies up.
    fs::remove_dir_all(&place).unwrap();
    let next = bench.sh("echo $TMPDIR; touch $TMPDIR/a").unwrap();
    assert!(Path::new(next.trim()).join("a").exists());
    drop(bench);
    assert!(!place.exists() && !Path::new(next.trim()).exists());
}

/// On a kernel without Landlock, as far as a process can be shown one: a filter of its own says that there is none. In a
/// process of its own, as no way leads back.
#[test]
fn a_part_that_is_missing_is_refused_or_done_without() {
    const ALONE: &str = "VMSYS_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = "modules::exec::confine::tests::a_part_that_is_missing_is_refused_or_done_without";
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .status()
            .unwrap();
        assert!(run.success());
        return;
    }
    let refuse = seccompiler::SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let rules = [(libc::SYS_landlock_create_ruleset, Vec::new())].into();
    let allow = seccompiler::SeccompAction::Allow;
    let filter = seccompiler::SeccompFilter::new(rules, allow, refuse, crate::isolation::ARCH).unwrap();
    let filter: seccompiler::BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&filter).unwrap();

    let error = bench(Sandbox::Require).sh("true").unwrap_err();
    assert_eq!(error.code(), Some("ERR_SANDBOX"));
    assert!(error.message().ends_with("the sandbox is required, and this machine lacks Landlock"), "{error}");
    // The rest holds.
    let mut bench = bench(Sandbox::Try);
    let outside = outside();
    assert_eq!(bench.sh(&format!("cat {}/secret", outside.path().display())).unwrap(), "secret");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    is_refused(&mut bench, &format!("exec 3<>/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port()));
}
