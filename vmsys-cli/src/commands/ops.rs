//! `vm-system ops`: looking after a running daemon.

use clap::Subcommand;

use crate::client::Client;
use crate::error::{Exit, Result};
use crate::json;
use crate::output::Output;

/// The commands of the group.
#[derive(Debug, Subcommand)]
pub(crate) enum OpsCommand {
    /// Ask the daemon whether it is there; prints {"status":"ok"}
    Health,
    /// Show what is alive in the daemon's memory, whatever its database says
    RuntimeSummary,
}

/// Does what the command says.
pub(crate) fn run(command: OpsCommand, client: &Client, out: &mut Output) -> Result<Exit> {
    let answer = match command {
        OpsCommand::Health => client.health()?,
        OpsCommand::RuntimeSummary => client.runtime_summary()?,
    };
    if out.is_json() {
        out.json(&answer.text);
    } else {
        // One line also on a terminal: this is the output that the reference shows.
        out.line(json::compact(&answer.text));
    }
    Ok(Exit::Done)
}
