//! One file a group of commands, and the one place that sends a command line to its group.

pub(crate) mod completions;
pub(crate) mod exec;
mod follow;
pub(crate) mod help;
pub(crate) mod libs;
pub(crate) mod man;
pub(crate) mod ops;
pub(crate) mod repl;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod template;

use serde::de::DeserializeOwned;

use crate::args::{Cli, Command};
use crate::client::{Answer, Client, token};
use crate::error::{Error, Exit, Result};
use crate::output::Output;

/// Does what the command line says.
pub(crate) fn run(cli: Cli, out: &mut Output) -> Result<Exit> {
    let token_file = cli.common.daemon.auth_token_file.clone();
    let client = || -> Result<Client> {
        Ok(Client::new(&cli.common.server_url)?.with_token(token::find(token_file.as_deref())?))
    };
    match cli.command {
        Command::Serve(args) => serve::run(args, cli.common.daemon),
        Command::Template(command) => template::run(command, &client()?, out),
        Command::Session(command) => session::run(command, &client()?, out),
        Command::Exec(command) => exec::run(command, &client()?, out),
        Command::Ops(command) => ops::run(command, &client()?, out),
        Command::Libs(command) => libs::run(command, out),
        Command::Repl(args) => repl::run(args, client, out),
        Command::Run(args) => run::run(args, out),
        Command::Eval(args) => run::eval(args, out),
        Command::Help(args) => help::run(args, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Man(args) => man::run(&args, out),
    }
}

/// Prints an answer: as the document that it is, or as the lines that the function writes.
fn show<T>(answer: &Answer<T>, out: &mut Output, lines: impl FnOnce(&T, &mut Output)) {
    if out.is_json() {
        out.json(&answer.text);
    } else {
        lines(&answer.value, out);
    }
}

/// Reads a document of a stream.
fn understood<T: DeserializeOwned>(document: &str) -> Result<T> {
    serde_json::from_str(document)
        .map_err(|error| Error::bad_answer(format!("the daemon sent {document:.200}: {error}")))
}

/// Shows a part of something that goes on; an error once nobody reads it any more, which ends what goes on.
fn shown(out: &mut Output) -> Result<()> {
    out.flush();
    if out.is_cut() { Err(Error::failed("IO_ERROR", "nobody reads the output any more")) } else { Ok(()) }
}

/// Prints a list: as the document that it is, as a table, or as the line for none.
fn show_list<T>(answer: &Answer<Vec<T>>, out: &mut Output, none: &str, head: &[&str], row: impl Fn(&T) -> Vec<String>) {
    show(answer, out, |records, out| {
        if records.is_empty() {
            out.line(none);
        } else {
            out.table(head, records.iter().map(row));
        }
    });
}

/// Makes the body of a request.
macro_rules! body {
    ($($name:literal: $value:expr),* $(,)?) => {{
        let mut body = serde_json::Map::new();
        $(body.insert($name.to_owned(), serde_json::Value::from($value));)*
        body
    }};
}
use body;

#[cfg(test)]
mod tests;
