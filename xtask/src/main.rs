//! How a checkout is driven: `cargo xtask serve`, `cargo xtask test`, `cargo xtask golden` and `cargo xtask bench`.
//!
//! Everything that CI does is here, so that whoever has cargo can do the same. Programs are built in one way only, with
//! the same profile, flags and selection of packages, so that no step builds again what an earlier one has built.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod bench;
mod daemon;
mod golden;
mod openapi;
mod python;
mod serve;
mod steps;
mod test;
mod ui;
mod workspace;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use self::workspace::Workspace;

/// What the functions of this program return: an error is a sentence for whoever started it.
type Result<T = ()> = std::result::Result<T, String>;

const HELP: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  serve [ARGS]...  Build vm-system and run its daemon; ARGS are those of `vm-system serve`
  test             Run everything that CI runs: format, lints, docs, tests, examples, the API, the UI (also: ci)
  ui               Build the web UI with npm, for the next build of the daemon to take in; `serve` does it as well
  browse           Try the web UI in a browser against the daemon, which `test` does last
  api              Test a daemon from its own OpenAPI document, which `test` does as well
  golden           Write the files of tests/golden anew, for review
  bench [ARGS]...  Run the benchmarks of every crate; ARGS go to each of them
  help             Print this

With CI=true, `test` fails where it would otherwise skip a check whose tool is missing.";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let command = args.next().unwrap_or_default();
    let outcome = match (command.to_str().unwrap_or_default(), args.collect::<Vec<_>>()) {
        ("serve", args) => Workspace::find().and_then(|workspace| serve::run(&workspace, &args)),
        ("bench", args) => Workspace::find().and_then(|workspace| bench::run(&workspace, &args)),
        ("api", args) if args.is_empty() => Workspace::find().and_then(|workspace| openapi::run(&workspace)),
        ("ui", args) if args.is_empty() => Workspace::find().and_then(|workspace| ui::run(&workspace)),
        ("browse", args) if args.is_empty() => Workspace::find().and_then(|workspace| browse(&workspace)),
        ("golden", args) if args.is_empty() => Workspace::find().and_then(|workspace| golden::run(&workspace)),
        ("test" | "ci", args) if args.is_empty() => Workspace::find().and_then(|workspace| test::run(&workspace)),
        ("help" | "--help" | "-h", _) => {
            // Whoever has read enough (`| head`) may be gone.
            let _ = writeln!(std::io::stdout(), "{HELP}");
            return ExitCode::SUCCESS;
        }
        (_, args) => return usage(&command, &args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nerror: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the UI and the programs, and tries them in a browser.
fn browse(workspace: &Workspace) -> Result {
    ui::run(workspace)?;
    workspace::run(&mut workspace.cargo(["build", "--workspace", "--bins", "--locked"]))?;
    match ui::browse(workspace)? {
        steps::Done::Passed => Ok(()),
        steps::Done::Skipped(reason) => Err(reason),
    }
}

fn usage(command: &OsString, args: &[OsString]) -> ExitCode {
    if command.is_empty() {
        eprintln!("{HELP}");
    } else {
        let line: Vec<_> = std::iter::once(command).chain(args).map(|word| word.to_string_lossy()).collect();
        eprintln!("error: xtask does not understand `{}`\n\n{HELP}", line.join(" "));
    }
    ExitCode::from(2)
}
