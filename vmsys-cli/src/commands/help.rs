//! `vm-system help`: topics, laid out for whoever reads, and the help of commands.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args};
use serde_json::json;

use crate::args::Cli;
use crate::error::{Error, Exit, Result};
use crate::help::render::{Look, render};
use crate::help::{self, TOPICS, Topic};
use crate::output::Output;

/// What is asked about.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vm-system help
  vm-system help getting-started
  vm-system help template create
  vm-system help api-reference | less")]
pub(crate) struct HelpArgs {
    /// A topic, or a command with the names that lead to it; nothing lists them
    #[arg(value_name = "TOPIC|COMMAND", value_parser = Subject, hide_possible_values = true)]
    pub(crate) subject: Vec<String>,
}

/// Reads any name, and tells shells those of the topics.
#[derive(Debug, Clone)]
struct Subject;

impl TypedValueParser for Subject {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> std::result::Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(TOPICS.iter().map(|topic| PossibleValue::new(topic.name).help(topic.about))))
    }
}

/// Prints a topic, or the help of a command.
pub(crate) fn run(args: HelpArgs, out: &mut Output) -> Result<Exit> {
    let name = match args.subject.as_slice() {
        [] => "topics",
        [name] => name,
        _ => "",
    };
    let Some(topic) = Topic::named(name) else { return of_command(&args.subject, out) };
    let markdown = topic.markdown()?;
    if out.is_json() {
        out.json(&json!({"topic": topic.name, "markdown": markdown}).to_string());
    } else {
        let look = Look { width: out.width(), color: out.has_color() };
        out.page(&render(&markdown, look));
    }
    Ok(Exit::Done)
}

/// Prints what `--help` prints of a command.
fn of_command(path: &[String], out: &mut Output) -> Result<Exit> {
    let definition = help::commands::definition();
    let mut command = &definition;
    for name in path {
        command = command.find_subcommand(name).ok_or_else(|| unknown(command, name))?;
    }
    let line = [definition.get_name()].into_iter().chain(path.iter().map(String::as_str)).chain(["--help"]);
    // To clap, help is what keeps it from reading on.
    if let Err(shown) = Cli::definition().try_get_matches_from(line) {
        let page = shown.render();
        out.page(&if out.has_color() { page.ansi().to_string() } else { page.to_string() });
    }
    Ok(Exit::Done)
}

fn unknown(command: &clap::Command, name: &str) -> Error {
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    let commands = inner.map(clap::Command::get_name).collect::<Vec<_>>().join(", ");
    let called = command.get_bin_name().unwrap_or_default();
    if called.contains(' ') {
        let error = Error::usage(format!("`{called}` has no command `{name}`"));
        return if commands.is_empty() { error } else { error.hint(format!("it has {commands}")) };
    }
    let topics = TOPICS.iter().map(|topic| topic.name).collect::<Vec<_>>().join(", ");
    Error::usage(format!("there is no topic and no command `{name}`"))
        .hint(format!("topics are {topics}; commands are {commands}"))
}
