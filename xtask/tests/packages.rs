//! What a package of each crate has in it, as cargo lists it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const CRATES: [&str; 3] = ["vmsys-core", "vmsys-server", "vmsys-cli"];

/// The files of a crate's package.
fn packaged(name: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["package", "--list", "--allow-dirty", "--offline", "--package", name]).current_dir(root());
    let output = cargo.output().expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("paths are text").lines().map(str::to_owned).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

#[test]
fn packages_have_what_they_need_and_no_tests() {
    for name in CRATES {
        let files = packaged(name);
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "Cargo.toml"] {
            assert!(files.contains(file), "{name} has no {file}: {files:?}");
        }
        let tests: Vec<_> =
            files.iter().filter(|file| file.contains("/tests") || file.starts_with("benches")).collect();
        assert!(tests.is_empty(), "{name}: {tests:?} belong to the checkout: `exclude` in Cargo.toml keeps them out");
    }
    assert!(packaged("vmsys-server").contains("build.rs"));
}

#[test]
fn what_packages_include_is_in_them() {
    for name in CRATES {
        let files = packaged(name);
        for file in files.iter().filter(|file| file.ends_with(".rs")) {
            let text = fs::read_to_string(root().join(name).join(file)).expect("a file of the package");
            for call in ["include_str!(\"", "include_bytes!(\"", "include!(\""] {
                for included in text.split(call).skip(1).filter_map(|after| after.split('"').next()) {
                    let path = normal(&Path::new(file).with_file_name(included));
                    assert!(
                        path.as_ref().is_some_and(|path| files.contains(path)),
                        "{name}: {file} includes {included}, which no package has: move it into the crate's folder"
                    );
                }
            }
        }
    }
}

/// A path without `..`; `None` when it leads out.
fn normal(path: &Path) -> Option<String> {
    let mut normal = PathBuf::new();
    for part in path {
        if part == ".." {
            if !normal.pop() {
                return None;
            }
        } else {
            normal.push(part);
        }
    }
    normal.to_str().map(str::to_owned)
}
