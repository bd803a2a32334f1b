//! The reference of the command line, made of its definition.

use clap::builder::StyledStr;
use clap::{Arg, Command};

use super::verbatim;
use crate::args::Cli;

/// Returns the whole definition, with the names by which commands are called.
pub(crate) fn definition() -> Command {
    let mut definition = Cli::definition();
    definition.build();
    definition
}

/// Returns what a command does, in a line of Markdown.
pub(super) fn about(command: &Command) -> String {
    said(command.get_about())
}

/// Returns every command with its flags, as Markdown.
pub(super) fn reference() -> String {
    let mut reference = String::from("# Commands\n");
    tell(&definition(), 2, &mut reference);
    reference
}

fn tell(command: &Command, level: usize, reference: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    reference.push_str(&format!("\n{} {name}\n\n", "#".repeat(level)));
    reference.push_str(&said(command.get_long_about().or(command.get_about())));
    let usage = command.clone().render_usage().to_string();
    reference.push_str(&format!("\n\n```text\n{}\n```\n\n", usage.trim_start_matches("Usage: ")));

    // Flags of every command are told where they belong to.
    let is_own = |arg: &&Arg| !arg.is_hide_set() && (!arg.is_global_set() || level == 2 && is_top(command));
    for arg in command.get_arguments().filter(is_own).filter(|arg| !is_common(arg)) {
        reference.push_str(&line_of(arg));
    }
    if let Some(after) = command.get_after_help() {
        reference.push_str(&format!("\n```text\n{}\n```\n", after.to_string().trim()));
    }
    let next = if is_top(command) { 2 } else { level + 1 };
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        tell(inner, next, reference);
    }
}

fn is_top(command: &Command) -> bool {
    command.get_name() == "vm-system"
}

/// Whether it is one of the flags that clap itself adds to each command.
fn is_common(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

/// An item of a list: the argument, what it is for, and what holds without it.
fn line_of(arg: &Arg) -> String {
    let name = match arg.get_long() {
        // What clap makes of a flag alone has neither its brackets nor the word `Options`.
        Some(long) if arg.get_action().takes_values() => format!("--{long} <{}>", values(arg)),
        Some(long) => format!("--{long}"),
        None => format!("<{}>", values(arg)),
    };
    let mut facts = Vec::new();
    if arg.is_required_set() && arg.get_long().is_some() {
        facts.push("required".to_owned());
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        facts.push(format!("default {}", defaults.join(" ")));
    }
    if let Some(variable) = arg.get_env() {
        facts.push(format!("variable `{}`", variable.to_string_lossy()));
    }
    let possible: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if arg.get_action().takes_values() && !possible.is_empty() && !arg.is_hide_possible_values_set() {
        facts.push(format!("one of {}", possible.join(", ")));
    }
    let about = said(arg.get_long_help().or(arg.get_help())).replace("\n\n", " ").replace('\n', " ");
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
    format!("- `{name}`: {about}{facts}\n")
}

fn values(arg: &Arg) -> String {
    let names: Vec<&str> = arg.get_value_names().unwrap_or_default().iter().map(AsRef::as_ref).collect();
    if names.is_empty() { arg.get_id().as_str().to_uppercase() } else { names.join("> <") }
}

fn said(text: Option<&StyledStr>) -> String {
    verbatim(text.map(StyledStr::to_string).unwrap_or_default().trim())
}
