//! Tests of the cache: names, checksums, writers side by side.

use std::thread;

use tempfile::TempDir;

use super::*;

/// A cache in a directory that is gone with the test.
fn cache() -> (LibraryCache, TempDir) {
    let directory = TempDir::new().unwrap();
    (LibraryCache::open(directory.path().join("libs")).unwrap(), directory)
}

fn file(cache: &LibraryCache, name: &str) -> PathBuf {
    cache.directory().unwrap().join(name)
}

/// Puts a file there as a person would.
fn by_hand(cache: &LibraryCache, name: &str, content: impl AsRef<[u8]>) {
    fs::create_dir_all(cache.directory().unwrap()).unwrap();
    fs::write(file(cache, name), content).unwrap();
}

fn add(cache: &LibraryCache, name: &str, version: &str, text: &str) -> Result<Library> {
    cache.add(NewLibrary::new(name, version).global("it"), text.as_bytes())
}

fn checks(cache: &LibraryCache, name: &str) -> Vec<(String, Option<LibraryCheck>)> {
    let list = cache.list().unwrap().into_iter().filter(|library| library.name == name);
    list.map(|library| (library.version, library.check)).collect()
}

#[test]
fn what_is_added_is_found_under_both_names() {
    let (cache, _directory) = cache();
    let added = add(&cache, "mine", "1.2.3", "var it = 1").unwrap();
    assert_eq!(
        (added.spec().as_str(), added.check, added.bytes),
        ("mine-1.2.3", Some(LibraryCheck::Verified), Some(10))
    );
    assert!(file(&cache, "mine-1.2.3.js").is_file());
    for name in ["mine", "mine-1.2.3"] {
        let source = cache.source(name).unwrap();
        assert_eq!((&*source.source, source.global.as_deref(), source.sets), ("var it = 1", Some("it"), None));
        assert_eq!(*source.integrity, integrity(b"var it = 1"));
        assert_eq!(cache.find(name).unwrap().unwrap(), added);
    }
    assert_eq!(cache.find("mine-1.2.4").unwrap(), None);
    // Another program finds the same.
    let again = LibraryCache::open(cache.directory().unwrap()).unwrap();
    assert_eq!(again.find("mine").unwrap().unwrap(), added);
}

#[test]
fn the_newest_is_meant_when_no_version_is_named() {
    let (cache, _directory) = cache();
    for version in ["1.9.0", "1.10.0", "2.0.0-rc.1", "1.2.0"] {
        add(&cache, "mine", version, &format!("var it = '{version}'")).unwrap();
    }
    assert_eq!(cache.source("mine").unwrap().version, "1.10.0");
    assert_eq!(cache.source("mine-2.0.0-rc.1").unwrap().version, "2.0.0-rc.1");
    let versions: Vec<_> = checks(&cache, "mine").into_iter().map(|(version, _)| version).collect();
    assert_eq!(versions, ["2.0.0-rc.1", "1.2.0", "1.9.0", "1.10.0"]);
}

#[test]
fn a_changed_file_is_refused_at_once_and_always() {
    let (cache, _directory) = cache();
    add(&cache, "mine", "1.0.0", "var it = 1").unwrap();
    cache.source("mine").unwrap();
    // As long as before, and within the same tick of the file system's clock.
    by_hand(&cache, "mine-1.0.0.js", "var it = 2");
    for _ in 0..2 {
        let error = cache.source("mine").unwrap_err();
        assert_eq!((error.kind(), error.detail("library")), (ErrorKind::LibraryDamaged, Some("mine-1.0.0")));
    }
    assert_eq!(checks(&cache, "mine"), [("1.0.0".to_owned(), Some(LibraryCheck::Damaged))]);
    add(&cache, "mine", "1.0.0", "var it = 2").unwrap();
    assert_eq!(&*cache.source("mine").unwrap().source, "var it = 2");
}

#[test]
fn a_settled_file_is_read_once_and_again_when_it_changed() {
    let (cache, _directory) = cache();
    add(&cache, "mine", "1.0.0", "var it = 1").unwrap();
    thread::sleep(SETTLED + Duration::from_millis(20));
    let first = cache.source("mine").unwrap();
    assert!(Arc::ptr_eq(&first.source, &cache.source("mine").unwrap().source), "it was read twice");
    by_hand(&cache, "mine-1.0.0.js", "var it = 2");
    assert_eq!(cache.source("mine").unwrap_err().kind(), ErrorKind::LibraryDamaged);
}

#[test]
fn a_file_put_there_by_hand_loads_and_is_listed_as_unverified() {
    let (cache, _directory) = cache();
    by_hand(&cache, "mine-1.0.0.js", "var it = 1");
    by_hand(&cache, "lodash-4.17.21.js", "var _ = 1");
    for name in ["mine", "lodash"] {
        cache.source(name).unwrap();
        assert_eq!(cache.find(name).unwrap().unwrap().check, Some(LibraryCheck::Unverified));
    }
    assert_eq!(cache.source("mine").unwrap().global, None);
    // No library by their names: nothing to list, and nothing to stumble over.
    by_hand(&cache, "lodash.js", "");
    by_hand(&cache, "README", "");
    fs::create_dir(file(&cache, "directory-1.0.0.js")).unwrap();
    assert_eq!(cache.list().unwrap().iter().filter(|library| library.cached).count(), 2);
}

#[test]
fn what_is_missing_is_told_from_what_is_unknown() {
    let (cache, _directory) = cache();
    let error = cache.source("lodash").unwrap_err();
    assert_eq!((error.kind(), error.detail("library")), (ErrorKind::LibraryNotFound, Some("lodash")));
    assert!(error.message().contains("libs download lodash"), "{error}");
    let error = cache.source("nobody").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LibraryNotFound);
    assert!(error.message().contains("neither"), "{error}");
    assert_eq!(LibraryCache::none().source("lodash").unwrap_err().kind(), ErrorKind::LibraryNotFound);
    assert_eq!(LibraryCache::none().list().unwrap(), cache.list().unwrap());
    assert!(!cache.directory().unwrap().exists(), "looking made a directory");
    // A file that was taken away is no damage, just not there.
    add(&cache, "mine", "1.0.0", "var it = 1").unwrap();
    fs::remove_file(file(&cache, "mine-1.0.0.js")).unwrap();
    assert_eq!(cache.source("mine-1.0.0").unwrap_err().kind(), ErrorKind::LibraryNotFound);
}

#[test]
fn names_that_are_paths_are_refused_everywhere() {
    let (cache, directory) = cache();
    fs::write(directory.path().join("outside-1.0.0.js"), "1").unwrap();
    for name in ["../outside", "../outside-1.0.0", "/etc/passwd", "libs/../../outside-1.0.0", "", "a\0"] {
        for error in [
            cache.source(name).unwrap_err(),
            cache.find(name).unwrap_err(),
            cache.remove(name).unwrap_err(),
            add(&cache, name, "1.0.0", "1").unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.detail("field")), (ErrorKind::Validation, Some("name")), "{name:?}");
        }
    }
}

#[test]
fn what_cannot_be_a_library_is_not_stored() {
    let (cache, _directory) = cache();
    let field = |new: NewLibrary, bytes: &[u8]| {
        let error = cache.add(new, bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
        error.detail("field").unwrap().to_owned()
    };
    let new = || NewLibrary::new("mine", "1.0.0");
    assert_eq!(field(new(), b"\xff"), "path");
    assert_eq!(field(new(), &vec![b' '; 16 * 1024 * 1024 + 1]), "path");
    for global in ["", "1a", "a-b", "a.b", "__proto__ = 1", "ä"] {
        assert_eq!(field(new().global(global), b"1"), "global", "{global}");
    }
    assert_eq!(field(NewLibrary::new("lodash", "4.17.21"), b"evil()"), "version");
    let known = CatalogLibrary::find("lodash").unwrap();
    let error = cache.add_known(known, b"evil()", "somewhere").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LibraryDamaged);
    assert!(error.message().contains(known.integrity), "{error}");
    assert_eq!(cache.info().unwrap().files, 0);
}

#[test]
fn the_catalogue_alone_says_what_its_libraries_are() {
    let (cache, _directory) = cache();
    add(&cache, "mine", "1.0.0", "var _ = 1").unwrap();
    // Somebody writes the file and the manifest.
    fs::rename(file(&cache, "mine-1.0.0.js"), file(&cache, "lodash-4.17.21.js")).unwrap();
    let path = file(&cache, manifest::FILE);
    let text = fs::read_to_string(&path).unwrap().replace("mine-1.0.0", "lodash-4.17.21");
    fs::write(&path, text).unwrap();
    assert_eq!(cache.source("lodash").unwrap_err().kind(), ErrorKind::LibraryDamaged);
}

#[test]
fn writers_side_by_side_lose_nothing() {
    let (cache, _directory) = cache();
    let path = cache.directory().unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            // Each as another program would be: with a cache of its own over the same directory.
            scope.spawn(move || {
                let cache = LibraryCache::open(path).unwrap();
                for version in 0..5 {
                    add(&cache, &format!("lib{writer}"), &format!("{version}.0.0"), "var it = 1").unwrap();
                    // A reader meets a file and its checksum, or neither.
                    let source = add(&cache, "shared", "1.0.0", &format!("var it = '{writer} {version}'"));
                    assert_eq!(source.unwrap().check, Some(LibraryCheck::Verified));
                    cache.source("shared").unwrap();
                }
            });
        }
    });
    let list = cache.list().unwrap();
    let verified = list.iter().filter(|library| library.check == Some(LibraryCheck::Verified)).count();
    assert_eq!(verified, 4 * 5 + 1);
}

#[test]
fn one_cache_serves_readers_while_it_writes() {
    let (cache, _directory) = cache();
    add(&cache, "mine", "1.0.0", "var it = 0").unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let cache = &cache;
            scope.spawn(move || {
                for round in 0..25 {
                    if thread == 0 {
                        add(cache, "mine", "1.0.0", &format!("var it = {round}")).unwrap();
                    }
                    cache.source("mine").unwrap();
                }
            });
        }
    });
}

#[test]
fn what_a_killed_writer_left_is_cleared_and_never_listed() {
    let (cache, _directory) = cache();
    by_hand(&cache, ".partial-abc123", "half a libr");
    assert_eq!(cache.info().unwrap().files, 0);
    add(&cache, "mine", "1.0.0", "var it = 1").unwrap();
    let mut names: Vec<_> = fs::read_dir(cache.directory().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".lock", "manifest.json", "mine-1.0.0.js"]);
}

#[test]
fn removing_takes_one_version() {
    let (cache, _directory) = cache();
    assert_eq!(cache.remove("mine").unwrap(), None);
    add(&cache, "mine", "1.0.0", "1").unwrap();
    add(&cache, "mine", "2.0.0", "2").unwrap();
    let error = cache.remove("mine").unwrap_err();
    assert_eq!((error.kind(), error.detail("field")), (ErrorKind::Validation, Some("name")));
    assert_eq!(cache.remove("mine-1.0.0").unwrap().unwrap().version, "1.0.0");
    assert_eq!(cache.remove("mine").unwrap().unwrap().version, "2.0.0");
    assert!(checks(&cache, "mine").is_empty());
    assert!(!fs::read_to_string(file(&cache, manifest::FILE)).unwrap().contains("mine"));
}

#[test]
fn a_manifest_that_cannot_be_read_stops_loading_and_names_itself() {
    let (cache, _directory) = cache();
    add(&cache, "mine", "1.0.0", "var it = 1").unwrap();
    fs::write(file(&cache, manifest::FILE), "{").unwrap();
    for error in
        [cache.source("mine").unwrap_err(), cache.list().unwrap_err(), add(&cache, "b", "1.0.0", "1").unwrap_err()]
    {
        assert!(error.message().contains("manifest.json"), "{error}");
    }
}

#[test]
fn the_directory_stays_the_same_place() {
    let cache = LibraryCache::open("some/libs").unwrap();
    let here = std::env::current_dir().unwrap();
    assert_eq!(cache.directory(), Some(here.join("some/libs").as_path()));
    assert_eq!(
        cache.info().unwrap(),
        LibraryCacheInfo { path: here.join("some/libs"), exists: false, files: 0, bytes: 0 }
    );
    assert_eq!(LibraryCache::open("").unwrap_err().detail("field"), Some("cache_dir"));
}

#[test]
fn a_fifo_is_no_library_and_blocks_nobody() {
    let (cache, _directory) = cache();
    fs::create_dir_all(cache.directory().unwrap()).unwrap();
    let path = file(&cache, "pipe-1.0.0.js");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert_eq!(cache.source("pipe-1.0.0").unwrap_err().kind(), ErrorKind::LibraryNotFound);
}
