//! The web UI: installed, checked and built with npm, and tried in a browser against the daemon that has it.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::steps::Done;
use crate::workspace::{self, Workspace};

/// Where its sources are.
const FOLDER: &str = "vmsys-server/ui";

/// The oldest Node.js that Vite runs on.
const NODE: (u32, u32) = (20, 19);

/// What browsers are called that the tests can drive.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Builds the UI: the next build of the daemon has it.
///
/// # Errors
/// It could not be built. That there is no npm is none: then this says so.
pub(crate) fn build(workspace: &Workspace) -> Result<Done> {
    if let Some(reason) = missing(workspace) {
        return Ok(Done::Skipped(reason));
    }
    install(workspace)?;
    npm(workspace, ["run", "--silent", "build", "--", "--logLevel", "warn"])?;
    Ok(Done::Passed)
}

/// Builds it for whoever asked for that and nothing else.
pub(crate) fn run(workspace: &Workspace) -> Result {
    match build(workspace)? {
        Done::Passed => {
            println!("Built {FOLDER}/dist: the next build of the daemon has it.");
            Ok(())
        }
        Done::Skipped(reason) => Err(reason),
    }
}

/// Builds it, after what can be said of it without a browser: types, that they are the API's, logic; and then its size.
pub(crate) fn check(workspace: &Workspace) -> Result<Done> {
    if let Some(reason) = missing(workspace) {
        return Ok(Done::Skipped(reason));
    }
    install(workspace)?;
    npm(workspace, ["run", "--silent", "check"])?;
    npm(workspace, ["test", "--silent"])?;
    build(workspace)?;
    npm(workspace, ["run", "--silent", "size"])?;
    Ok(Done::Passed)
}

/// Tries it in a browser. The daemon has been built, with it.
pub(crate) fn browse(workspace: &Workspace) -> Result<Done> {
    if let Some(reason) = missing(workspace) {
        return Ok(Done::Skipped(reason));
    }
    let Some(browser) = browser(workspace) else {
        return Ok(Done::Skipped("there is no Chromium: on Debian it is the package chromium".to_owned()));
    };
    let mut tests = command(workspace, ["run", "--silent", "e2e"]);
    tests
        .env("VM_SYSTEM_PROGRAM", workspace.program("vm-system"))
        .env("CHROMIUM", browser)
        // Screenshots, and what a failure leaves behind.
        .env("VM_SYSTEM_ARTEFACTS", workspace.kept("ui"));
    workspace::run(&mut tests)?;
    println!("Screenshots of every page are in {}", workspace.kept("ui").join("shots").display());
    Ok(Done::Passed)
}

/// Says what is missing to build it, if something is.
fn missing(workspace: &Workspace) -> Option<String> {
    let version = Command::new("node").arg("--version").output().ok().filter(|output| output.status.success());
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
    let Some(version) = version else { return Some("node is missing".to_owned()) };
    if !is_enough(&version) {
        return Some(format!("node is {}, and {}.{} is needed", version.trim(), NODE.0, NODE.1));
    }
    let there = workspace::works(&mut workspace.command("npm", ["--version"]));
    (!there).then(|| "npm is missing".to_owned())
}

/// Tells whether a version, as in `v20.19.1`, is new enough.
fn is_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(|number| number.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= NODE
}

/// Installs what the lock file names, unless that is there already.
fn install(workspace: &Workspace) -> Result {
    let lock = workspace.read(&format!("{FOLDER}/package-lock.json"))?;
    let installed = workspace.path(FOLDER).join("node_modules/.installed");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    npm(workspace, ["ci", "--no-audit", "--no-fund"])?;
    // Last: what was left half done is begun anew.
    fs::write(&installed, lock).map_err(|error| format!("cannot write {}: {error}", installed.display()))
}

fn npm<I: AsRef<OsStr>>(workspace: &Workspace, args: impl IntoIterator<Item = I>) -> Result {
    workspace::run(&mut command(workspace, args))
}

fn command<I: AsRef<OsStr>>(workspace: &Workspace, args: impl IntoIterator<Item = I>) -> Command {
    let mut command = workspace.command("npm", args);
    command.current_dir(workspace.path(FOLDER));
    command
}

/// Finds a browser, or has Debian install its own where that is ours to do.
fn browser(workspace: &Workspace) -> Option<PathBuf> {
    if let Some(browser) = find() {
        return Some(browser);
    }
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root && workspace::works(&mut workspace.command("apt-get", ["--version"])) {
        println!("Installing chromium");
        let _ = workspace::works(&mut workspace.command("apt-get", ["update", "--quiet=2"]));
        let mut install = workspace.command("apt-get", ["install", "--quiet=2", "--yes", "chromium"]);
        let _ = workspace::works(install.env("DEBIAN_FRONTEND", "noninteractive"));
    }
    find()
}

fn find() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&paths).collect();
    BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_told_from_a_new_one() {
        for (version, enough) in [
            ("v20.19.0\n", true),
            ("v20.20.2", true),
            ("v22.1.0", true),
            ("v20.18.3", false),
            ("v9.99.0", false),
            ("?", false),
        ] {
            assert_eq!(is_enough(version), enough, "{version}");
        }
    }
}
