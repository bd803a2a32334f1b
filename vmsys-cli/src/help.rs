//! The topics of `vm-system help`: some are written, and the references are made of what they are about.

pub(crate) mod api;
pub(crate) mod commands;
pub(crate) mod render;

use crate::error::Result;

/// Something that there is help about.
pub(crate) struct Topic {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// What it is about, in one line.
    pub(crate) about: &'static str,
    text: Text,
}

enum Text {
    Written(&'static str),
    Made(fn() -> Result<String>),
}

/// Every topic, in the order in which somebody new would read them.
pub(crate) const TOPICS: &[Topic] = &[
    Topic {
        name: "getting-started",
        about: "The first run, a daemon, and what is done every day",
        text: Text::Written(include_str!("help/getting-started.md")),
    },
    Topic {
        name: "templates-and-sessions",
        about: "What code may use, where its state lives, and what is kept of a run",
        text: Text::Written(include_str!("help/templates-and-sessions.md")),
    },
    Topic {
        name: "examples",
        about: "Recipes that run as they are printed",
        text: Text::Written(include_str!("help/examples.md")),
    },
    Topic {
        name: "cli-command-reference",
        about: "Every command with its flags, defaults and variables",
        text: Text::Made(|| Ok(commands::reference())),
    },
    Topic {
        name: "api-reference",
        about: "Every request of the REST API, and what it is refused with",
        text: Text::Made(api::reference),
    },
    Topic {
        name: "architecture",
        about: "The parts, and what an execution goes through",
        text: Text::Written(include_str!("help/architecture.md")),
    },
    Topic {
        name: "contributing",
        about: "How to build, test and change it",
        text: Text::Written(include_str!("help/contributing.md")),
    },
    Topic { name: "topics", about: "This list", text: Text::Made(|| Ok(list())) },
];

impl Topic {
    /// Finds a topic by its name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        TOPICS.iter().find(|topic| topic.name == name)
    }

    /// Returns what there is to say, as Markdown.
    ///
    /// # Errors
    /// The API cannot be told from its document, which only a fault of this build can be the reason for.
    pub(crate) fn markdown(&self) -> Result<String> {
        match self.text {
            Text::Written(text) => Ok(text.to_owned()),
            Text::Made(make) => make(),
        }
    }
}

/// What there is help about.
fn list() -> String {
    let mut list = String::from(
        "# Help\n\n`vm-system help TOPIC` tells about one of these, and `vm-system help COMMAND` about a command.\n\n\
         | topic | what it is about |\n| --- | --- |\n",
    );
    for Topic { name, about, .. } in TOPICS {
        list.push_str(&format!("| `{name}` | {about} |\n"));
    }
    list.push_str("\n| command | what it does |\n| --- | --- |\n");
    for command in commands::definition().get_subcommands().filter(|command| !command.is_hide_set()) {
        list.push_str(&format!("| `{}` | {} |\n", command.get_name(), commands::about(command)));
    }
    list
}

/// Returns a text that is not Markdown so that it reads as itself; what stands between backticks may stay there.
fn verbatim(text: &str) -> String {
    let mut verbatim = String::with_capacity(text.len() + 8);
    let mut is_code = false;
    for char in text.chars() {
        is_code ^= char == '`';
        if !is_code && matches!(char, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~') {
            verbatim.push('\\');
        }
        verbatim.push(char);
    }
    verbatim
}

#[cfg(test)]
mod tests;
