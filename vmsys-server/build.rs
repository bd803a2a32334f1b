//! Tells the compiler whether the web UI has been built. It is never built here: that is `cargo xtask ui`'s work, and a
//! build of the daemon neither needs npm nor reaches for a network.

use std::path::Path;
use std::{env, fs, process};

/// Where Vite puts what it has built.
const DIST: &str = "ui/dist";

fn main() {
    // What is watched must exist: cargo would otherwise run this, and compile the crate, each time. A checkout that cannot
    // be written to loses nothing but that.
    let _ = fs::create_dir_all(DIST);
    println!("cargo::rerun-if-changed={DIST}");
    println!("cargo::rerun-if-env-changed=VM_UI");
    println!("cargo::rustc-check-cfg=cfg(vm_ui)");
    if Path::new(DIST).join("index.html").is_file() {
        println!("cargo::rustc-cfg=vm_ui");
    } else if env::var("VM_UI").is_ok_and(|value| value == "require") {
        println!("cargo::error=VM_UI=require, and the web UI has not been built: `cargo xtask ui` builds it");
        process::exit(1);
    }
}
