//! `vm-system completions`: what makes a shell complete this program's command lines.

use clap::Args;
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::error::{Exit, Result};
use crate::output::Output;

/// Which shell it is for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(vm-system completions bash)
  vm-system completions zsh > ~/.zfunc/_vm-system
  vm-system completions fish > ~/.config/fish/completions/vm-system.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script of a shell.
pub(crate) fn run(args: &CompletionsArgs, out: &mut Output) -> Result<Exit> {
    let mut definition = Cli::definition();
    let name = definition.get_name().to_owned();
    let mut script = Vec::new();
    generate(args.shell, &mut definition, name, &mut script);
    out.page(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
