//! The commands of a prompt, which begin with a dot.

/// What there is.
pub(super) const HELP: &str = "\
.help         Tell this
.editor       Type several lines; Ctrl+D on an empty one runs them
.load FILE    Run a file of this machine as if it were typed
.save FILE    Write what was typed and came to a value to a new file
.events       Tell the events of what has run last
.clear        Clear the screen
.exit         Leave
Tab completes names. Ctrl+C cancels what runs, throws away what is typed, and, twice at an empty prompt, leaves.
";

/// Their names, for whoever completes one.
pub(super) const NAMES: [&str; 7] = [".clear", ".editor", ".events", ".exit", ".help", ".load", ".save"];

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dot {
    Help,
    Editor,
    Load(String),
    Save(String),
    Events,
    Clear,
    Exit,
    /// One without what it needs; this is how it goes.
    Incomplete(&'static str),
    /// None that there is.
    Unknown(String),
}

impl Dot {
    /// Reads an input as a command, if it is one: `.5` is a number.
    pub(super) fn read(input: &str) -> Option<Self> {
        let input = input.trim();
        if !is_command(input) {
            return None;
        }
        let (name, rest) = input.split_once(char::is_whitespace).unwrap_or((input, ""));
        let path = Some(rest.trim().to_owned()).filter(|path| !path.is_empty());
        Some(match (name, path) {
            (".help", _) => Self::Help,
            (".editor", _) => Self::Editor,
            (".load", Some(path)) => Self::Load(path),
            (".load", None) => Self::Incomplete(".load FILE"),
            (".save", Some(path)) => Self::Save(path),
            (".save", None) => Self::Incomplete(".save FILE"),
            (".events", _) => Self::Events,
            (".clear", _) => Self::Clear,
            (".exit", _) => Self::Exit,
            _ => Self::Unknown(name.to_owned()),
        })
    }
}

/// Whether an input is a command, or may become one.
pub(super) fn is_command(input: &str) -> bool {
    let rest = input.trim().strip_prefix('.');
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_code() {
        assert_eq!(Dot::read(" .help "), Some(Dot::Help));
        assert_eq!(Dot::read(".load a b.js"), Some(Dot::Load("a b.js".to_owned())));
        assert_eq!(Dot::read(".save"), Some(Dot::Incomplete(".save FILE")));
        assert_eq!(Dot::read(".exti"), Some(Dot::Unknown(".exti".to_owned())));
        for code in ["", ".5", "a.help", "...x", "x\n.help"] {
            assert_eq!(Dot::read(code), None, "{code}");
        }
    }

    #[test]
    fn all_that_there_is_is_told() {
        for name in NAMES {
            assert!(HELP.contains(name), "{name}");
            assert!(!matches!(Dot::read(name), None | Some(Dot::Unknown(_))), "{name}");
        }
    }
}
