//! Real files of real packages: got once a run, by the machine's own npm client, and kept for the next run.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::{BINARY, run};

/// Packages for tests of the module loader and of what there is of Node: CommonJS, ES modules with a dependency, maps of
/// exports by goal and by world, streams, `process` and `crypto`.
const PACKAGES: &[&str] = &[
    "semver@7.6.3",
    "p-limit@4.0.0",
    "yocto-queue@1.0.0",
    "clsx@2.1.1",
    "chalk@5.6.2",
    "csv-parse@7.0.3",
    "debug@4.4.3",
    "immer@11.2.10",
    "jsonwebtoken@9.0.3",
    "nanoid@5.1.16",
    "postcss@8.5.33",
    "uuid@14.0.3",
    "yaml@2.9.1",
];

/// A registry may be slow; it is asked for about a megabyte.
const PATIENCE: Duration = Duration::from_secs(300);

/// A cache with every library of the catalogue. Not for tests that write to it: [`copy_of_libraries`].
pub(crate) fn libraries() -> &'static Path {
    static LIBRARIES: OnceLock<PathBuf> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let directory = kept("libraries");
        let mut command = as_developed(BINARY);
        command.args(["libs", "download", "--from", "npm", "--cache-dir"]).arg(&directory);
        run(command, PATIENCE).expect(0);
        directory
    })
}

/// Copies the cache, manifest and all, into another directory.
pub(crate) fn copy_of_libraries(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for entry in fs::read_dir(libraries()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), directory.join(entry.file_name())).unwrap();
    }
}

/// A directory with `node_modules` in it.
pub(crate) fn packages() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let directory = kept(&directory_name());
        if directory.join("node_modules").is_dir() {
            return directory;
        }
        let fresh = kept(&format!("packages.{}", process::id()));
        fs::create_dir_all(&fresh).unwrap();
        // Without one, npm looks for a project in the directories above.
        fs::write(fresh.join("package.json"), "{\"private\":true}").unwrap();
        let mut command = as_developed("npm");
        command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--no-save"]);
        command.arg("--prefix").arg(&fresh).args(PACKAGES);
        run(command, PATIENCE).expect(0);
        // Whole or not at all. Another run may have been quicker, with the same.
        if fs::rename(&fresh, &directory).is_err() {
            fs::remove_dir_all(&fresh).unwrap();
        }
        assert!(directory.join("node_modules/semver/package.json").is_file());
        directory
    })
}

/// Another for other packages; the list itself would be too long a name.
fn directory_name() -> String {
    let mut hasher = DefaultHasher::new();
    PACKAGES.hash(&mut hasher);
    format!("packages {:016x}", hasher.finish())
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// With the developer's environment, which says where the registry is, and without our own variables.
fn as_developed(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("VM_SYSTEM_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}
