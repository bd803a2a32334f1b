//! `vm-system man`: the manual's pages, one a command.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::{Man, generate_to};

use crate::args::Cli;
use crate::error::{Error, Exit, Result};
use crate::output::Output;

/// Where pages go.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vm-system man | man -l -
  vm-system man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// A directory for the pages of all commands, which is made if it is not there; without one, the page of `vm-system` is printed
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Prints the program's page, or writes those of all commands.
pub(crate) fn run(args: &ManArgs, out: &mut Output) -> Result<Exit> {
    let definition = Cli::definition();
    match &args.directory {
        None => {
            let mut page = Vec::new();
            Man::new(definition).render(&mut page).map_err(|error| failed("the page cannot be made", &error))?;
            out.page(&String::from_utf8_lossy(&page));
        }
        Some(directory) => {
            fs::create_dir_all(directory)
                .and_then(|()| generate_to(definition, directory))
                .map_err(|error| failed(&format!("cannot write pages into {}", directory.display()), &error))?;
            out.line(format_args!("Wrote the manual's pages into {}", directory.display()));
        }
    }
    Ok(Exit::Done)
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::failed("IO_ERROR", format!("{what}: {error}")).hint("name a directory that can be written to")
}
