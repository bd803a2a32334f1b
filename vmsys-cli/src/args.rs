//! The command line: what can be said, and how it is read.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use serde_json::{Map, Value};

use crate::commands::completions::CompletionsArgs;
use crate::commands::exec::ExecCommand;
use crate::commands::help::HelpArgs;
use crate::commands::libs::LibsCommand;
use crate::commands::man::ManArgs;
use crate::commands::ops::OpsCommand;
use crate::commands::repl::ReplArgs;
use crate::commands::run::{EvalArgs, RunArgs};
use crate::commands::serve::{self, ServeArgs};
use crate::commands::session::SessionCommand;
use crate::commands::template::TemplateCommand;
use crate::error::{Error, Exit, Result};
use crate::output::Output;

/// JavaScript sessions that last, behind a daemon or right here.
///
/// A template says what code may do and use, a session is a live runtime made from a template over a directory, and an
/// execution is one snippet or file that was run in a session, recorded with everything that it printed.
#[derive(Debug, Parser)]
#[command(
    name = "vm-system",
    version,
    long_version = serve::LONG_VERSION,
    max_term_width = 100,
    after_help = EXAMPLES,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  vm-system repl
  vm-system eval '[1, 2, 3].map(n => n * n)'
  vm-system serve --db demo.db
  vm-system template create --name demo
  vm-system session create --template-id ID \\
      --workspace-id ws-1 --base-commit HEAD --worktree-path \"$PWD\"
  vm-system exec repl SESSION_ID 'const seed = 40; seed + 2'
  vm-system help getting-started

Exit codes:
  0  done
  1  the daemon refused, or something failed
  2  the command line cannot be understood
  3  no daemon answers
  4  the execution ended in error, timeout or cancelled
  130, 143  Ctrl+C or SIGTERM ended the command; an execution may still run";

/// Flags of every command.
// Not `GlobalArgs`: clap names a group after the type, and the daemon's shared flags have that name already.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct CommonArgs {
    /// `--db` and `--log-level`: taken everywhere, as the original did, and heeded by `serve`
    #[command(flatten)]
    pub(crate) daemon: serve::GlobalArgs,

    /// Where the daemon is, as in http://127.0.0.1:3210 or unix:PATH; every command but `serve`, `libs`, `run`, `eval` and a `repl` of its own asks it
    // Read by the commands that need it: a bad VM_SYSTEM_URL must not keep `serve` from starting.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:3210",
        env = "VM_SYSTEM_URL",
        hide_env_values = true
    )]
    pub(crate) server_url: String,

    /// Print the answer of the API instead of lines, and errors as its error envelope
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// When to use colour; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
}

/// The groups of commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the daemon
    Serve(ServeArgs),
    /// Manage templates: what code may do and use
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Manage sessions: live runtimes whose state lasts
    #[command(subcommand)]
    Session(SessionCommand),
    /// Run code in a session, and read what came of it
    #[command(subcommand)]
    Exec(ExecCommand),
    /// Look after a running daemon
    #[command(subcommand)]
    Ops(OpsCommand),
    /// Manage the libraries on this machine: files that sessions can start with
    #[command(subcommand)]
    Libs(LibsCommand),
    /// Type JavaScript at a prompt, right here or in a session of a daemon
    Repl(ReplArgs),
    /// Run a JavaScript file right here, without a daemon
    Run(RunArgs),
    /// Evaluate JavaScript right here, without a daemon, and print its value
    Eval(EvalArgs),
    /// Tell about a topic or a command; alone, list what there is help about
    Help(HelpArgs),
    /// Print the script that makes a shell complete command lines
    Completions(CompletionsArgs),
    /// Print the manual's page, or write the pages of all commands
    Man(ManArgs),
}

/// The command that each group has beside its own: `vm-system template help create`.
const HELP: &str = "help";
/// What that command is given.
const HELP_SUBJECT: &str = "subject";

impl Cli {
    /// Returns the definition of the command line.
    pub(crate) fn definition() -> clap::Command {
        // Clap's own `help` knows no topics, and would have to go from the groups along with the first one.
        let help = || {
            let subject = Arg::new(HELP_SUBJECT).value_name("COMMAND").action(ArgAction::Append).num_args(..);
            clap::Command::new(HELP).about("Print the help of a command").hide(true).arg(subject)
        };
        Self::command().mut_subcommands(|group| if group.has_subcommands() { group.subcommand(help()) } else { group })
    }

    /// Reads a command line.
    pub(crate) fn read(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let matches = Self::definition().try_get_matches_from(line)?;
        if let Some((group, within)) = matches.subcommand()
            && let Some((HELP, asked)) = within.subcommand()
        {
            let names = asked.get_many::<String>(HELP_SUBJECT).into_iter().flatten().cloned();
            let subject = std::iter::once(group.to_owned()).chain(names).collect();
            let common = CommonArgs::from_arg_matches(&matches)?;
            return Ok(Self { common, command: Command::Help(HelpArgs { subject }) });
        }
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut Self::definition()))
    }
}

/// Prints help, the version, or what is wrong with the command line.
pub(crate) fn refuse(refusal: &clap::Error) -> ExitCode {
    if !refusal.use_stderr() {
        // Nobody may be listening any more (`--help | head -0`); that is no failure.
        refusal.print().ok();
        return Exit::Done.into();
    }
    // No arguments were parsed, so the one flag that changes the form of errors is looked for by hand.
    let before_script = std::env::args_os().take_while(|arg| arg != OsStr::new("--"));
    if before_script.into_iter().any(|arg| arg == OsStr::new("--json")) {
        let text = refusal.render().to_string();
        let mut out = Output::standard(true, ColorChoice::Never);
        out.error(&Error::usage(text.trim().trim_start_matches("error: ")));
    } else {
        refusal.print().ok();
    }
    Exit::Usage.into()
}

/// Reads an id as it is: what is one, the daemon decides. Nothing at all would name another resource of the API.
pub(crate) fn id() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}

/// Reads `KEY=VALUE`; the value is text.
pub(crate) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Reads `KEY=VALUE`; the value is JSON when it reads as JSON, and else text.
pub(crate) fn argument(text: &str) -> Result<(String, Value), String> {
    let (name, value) = variable(text)?;
    let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
    Ok((name, value))
}

/// Reads a JSON object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("expected a JSON object, such as '{\"read\": [\"docs\"]}'".to_owned()),
        Err(error) => Err(format!("expected a JSON object, such as '{{\"read\": [\"docs\"]}}': {error}")),
    }
}

/// Returns the directory that relative names are taken from.
pub(crate) fn current_dir() -> Result<PathBuf> {
    std::env::current_dir().map_err(|error| {
        Error::failed("IO_ERROR", format!("cannot tell the current directory: {error}"))
            .hint("it may be gone: change to a directory that is there")
    })
}

/// Returns the code of an argument, which `-` leaves to standard input.
pub(crate) fn code(argument: String) -> Result<String> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut code = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut code)
        .map_err(|error| Error::failed("IO_ERROR", format!("cannot read standard input: {error}")))?;
    String::from_utf8(code).map_err(|_| {
        Error::failed("IO_ERROR", "standard input is not UTF-8 text")
            .hint("convert it first, for example with `iconv -f ISO-8859-1 -t UTF-8`")
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::error::ErrorKind;
    use serde_json::json;

    use super::*;

    /// Splits as a shell would, as far as tests need: at spaces, and not inside single quotes.
    pub(crate) fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
        for char in line.chars() {
            match char {
                '\'' => (quoted, begun) = (!quoted, true),
                ' ' if !quoted => {
                    if std::mem::take(&mut begun) {
                        words.push(std::mem::take(&mut word));
                    }
                }
                _ => {
                    word.push(char);
                    begun = true;
                }
            }
        }
        if begun {
            words.push(word);
        }
        words
    }

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::read(words(line))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::definition().debug_assert();
    }

    #[test]
    fn command_lines_of_the_original_are_taken() {
        for line in [
            "vm-system serve",
            "vm-system serve --listen 127.0.0.1:3210",
            "vm-system serve --db /tmp/demo.db --listen 127.0.0.1:3210",
            "vm-system --db /tmp/demo.db serve",
            "vm-system template create --name demo --engine goja",
            "vm-system template create --name demo",
            "vm-system template list",
            "vm-system template get TEMPLATE_ID",
            "vm-system template types TEMPLATE_ID",
            "vm-system template delete TEMPLATE_ID",
            "vm-system template add-startup TEMPLATE_ID --path runtime/init.js --order 10 --mode eval",
            "vm-system template add-startup TEMPLATE_ID --path runtime/init.js --order 10",
            "vm-system template list-startup TEMPLATE_ID",
            "vm-system template add-capability TEMPLATE_ID --name NAME",
            "vm-system template add-capability TEMPLATE_ID --name NAME --kind module --config '{}' --enabled",
            "vm-system template add-capability TEMPLATE_ID --name NAME --kind global",
            "vm-system template add-capability TEMPLATE_ID --name NAME --kind fs",
            "vm-system template add-capability TEMPLATE_ID --name NAME --kind net",
            "vm-system template add-capability TEMPLATE_ID --name NAME --kind env",
            "vm-system template list-capabilities TEMPLATE_ID",
            "vm-system template add-module TEMPLATE_ID --name NAME",
            "vm-system template remove-module TEMPLATE_ID --name NAME",
            "vm-system template list-modules TEMPLATE_ID",
            "vm-system template list-available-modules",
            "vm-system template list-available-libraries",
            "vm-system template add-library TEMPLATE_ID --name NAME",
            "vm-system template remove-library TEMPLATE_ID --name NAME",
            "vm-system template list-libraries TEMPLATE_ID",
            "vm-system session create --template-id ID --workspace-id ws-1 --base-commit deadbeef --worktree-path /abs/path",
            "vm-system session list",
            "vm-system session list --status ready",
            "vm-system session list --status starting",
            "vm-system session list --status crashed",
            "vm-system session list --status closed",
            "vm-system session get SESSION_ID",
            "vm-system session types SESSION_ID",
            "vm-system session close SESSION_ID",
            "vm-system exec repl SESSION_ID 'seed + 2'",
            "vm-system exec run-file SESSION_ID path/to/file.js",
            "vm-system exec list SESSION_ID",
            "vm-system exec list SESSION_ID --limit 50",
            "vm-system exec get EXECUTION_ID",
            "vm-system exec events EXECUTION_ID",
            "vm-system exec events EXECUTION_ID --after-seq 0",
            "vm-system libs download",
            "vm-system libs download --cache-dir .vm-cache/libraries",
            "vm-system ops health",
            "vm-system ops runtime-summary",
            "vm-system ops status",
            "vm-system ops status --interval 0 --json",
            "vm-system ops metrics",
            "vm-system ops openapi",
            "vm-system --server-url http://127.0.0.1:4000 ops health",
            "vm-system ops health --server-url http://127.0.0.1:4000 --log-level debug",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn command_lines_of_ours_are_taken() {
        for line in [
            "vm-system template create --name demo --set limits.cpu_ms=1000 --set runtime.strict=true",
            "vm-system template update ID --name demo --active false --set limits.cpu_ms=1000",
            "vm-system template update ID --set runtime.isolation=thread",
            "vm-system template remove-capability ID CAPABILITY_ID",
            "vm-system session list --template-id ID --limit 10 --json",
            "vm-system exec run-file SESSION_ID app.js --arg n=1 --arg name=x --env LANG=en",
            "vm-system exec cancel EXECUTION_ID",
            "vm-system libs download lodash dayjs-1.11.10 --from npm --force --json",
            "vm-system libs download --cdn http://127.0.0.1:8080/npm --cache-dir /libs",
            "vm-system libs list --json",
            "vm-system libs cache-info",
            "vm-system libs verify",
            "vm-system libs add mine.js --name mine --version 1.2.3 --global Mine",
            "vm-system libs remove mine-1.2.3",
            "vm-system exec repl SESSION_ID -",
            "vm-system run app.js one two --three",
            "vm-system run --cpu-ms 10 --env A=b app.js",
            "vm-system eval --json '1 + 1' --wall-ms 5",
            "vm-system --color never eval 1",
            "vm-system repl",
            "vm-system repl app.js --cpu-ms 10",
            "vm-system repl --session ID app.js",
            "vm-system repl --template demo",
            "vm-system session globals ID --builtins",
            "vm-system session complete ID x.fo --cursor 3",
            "vm-system session history ID --limit 3 --before EXECUTION_ID",
            "vm-system help",
            "vm-system help examples --color always",
            "vm-system help template create",
            "vm-system template help create",
            "vm-system exec help",
            "vm-system completions bash",
            "vm-system man",
            "vm-system man pages",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn lines_that_make_no_sense_are_refused_with_code_2() {
        for line in [
            "vm-system nonsense",
            "vm-system template create",
            "vm-system template get",
            "vm-system template get ''",
            "vm-system template create --name x --set cpu_ms=1",
            "vm-system template create --name x --set resolver.roots=lib",
            "vm-system template update ID --active yes",
            "vm-system template update --name x",
            "vm-system template add-capability ID",
            "vm-system template add-capability ID --name x --kind disk",
            "vm-system template add-capability ID --name x --config []",
            "vm-system template add-capability ID --name x --config {",
            "vm-system template add-module ID",
            "vm-system template add-module ID --name ''",
            "vm-system template remove-capability ID",
            "vm-system template add-startup ID --path x",
            "vm-system session create --template-id ID --workspace-id ws --base-commit HEAD",
            "vm-system session list --status open",
            "vm-system session list --limit 0",
            "vm-system exec list",
            "vm-system exec list ID --limit many",
            "vm-system exec run-file ID app.js --env NOVALUE",
            "vm-system exec repl ID",
            "vm-system --log-level loud ops health",
            "vm-system libs add mine.js --name mine",
            "vm-system libs download --from elsewhere",
            "vm-system libs download --cdn ftp://example.org",
            "vm-system libs download --cdn not-an-address",
            "vm-system run",
            "vm-system repl --session ID --template demo",
            "vm-system session complete ID",
            "vm-system session history ID --limit 0",
            "vm-system completions",
            "vm-system completions csh",
            "vm-system man a b",
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{line}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn arguments_that_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStrExt;
        let odd = OsStr::from_bytes(b"\xff\xfe");
        for front in [&["vm-system", "eval"][..], &["vm-system", "exec", "repl", "ID"], &["vm-system", "run", "a.js"]] {
            let line = front.iter().map(OsStr::new).chain([odd]);
            let error = Cli::try_parse_from(line).expect_err("this is no text");
            assert_eq!(error.kind(), ErrorKind::InvalidUtf8);
        }
    }

    #[test]
    fn code_may_begin_with_a_dash() {
        for (line, code) in [
            ("vm-system eval -1", "-1"),
            ("vm-system eval '-x + 1'", "-x + 1"),
            ("vm-system eval '--i'", "--i"),
            ("vm-system eval -- --json", "--json"),
            ("vm-system eval -", "-"),
            ("vm-system exec repl ID -1", "-1"),
            ("vm-system exec repl ID -- -h", "-h"),
            ("vm-system exec repl -- ID --json", "--json"),
        ] {
            let cli = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let found = match cli.command {
                Command::Eval(args) => args.code,
                Command::Exec(ExecCommand::Repl { code, .. }) => code,
                other => panic!("{line}: {other:?}"),
            };
            assert_eq!(found, code, "{line}");
            assert!(!cli.common.json, "{line}");
        }
    }

    #[test]
    fn what_follows_the_file_is_the_scripts() {
        for (line, ours, theirs) in [
            ("vm-system run app.js", false, &[][..]),
            ("vm-system run app.js a b", false, &["a", "b"]),
            ("vm-system run app.js a --json", false, &["a", "--json"]),
            ("vm-system run app.js --verbose --json", false, &["--verbose", "--json"]),
            ("vm-system run app.js -- --json", false, &["--json"]),
            ("vm-system run app.js a -- b", false, &["a", "--", "b"]),
            ("vm-system run app.js --json a", true, &["a"]),
            ("vm-system run --json app.js a", true, &["a"]),
        ] {
            let cli = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let Command::Run(args) = cli.command else { panic!("{line}") };
            assert_eq!((cli.common.json, args.args.as_slice()), (ours, theirs.map_str().as_slice()), "{line}");
        }
    }

    trait MapStr {
        fn map_str(&self) -> Vec<String>;
    }

    impl MapStr for [&str] {
        fn map_str(&self) -> Vec<String> {
            self.iter().map(|&text| text.to_owned()).collect()
        }
    }

    #[test]
    fn defaults_are_those_of_the_reference() {
        let cli = parse("vm-system exec list ID").expect("the line is good");
        assert_eq!(cli.common.daemon.db, std::path::PathBuf::from("vm-system.db"));
        assert_eq!(cli.common.daemon.log_level, serve::LogLevel::Info);
        assert!(matches!(cli.command, Command::Exec(ExecCommand::List { limit: 50, .. })));
        let cli = parse("vm-system exec events ID").expect("the line is good");
        assert!(matches!(cli.command, Command::Exec(ExecCommand::Events { after_seq: 0, .. })));
    }

    #[test]
    fn arguments_are_json_where_they_read_as_json() {
        for (text, value) in [
            ("n=1", json!(1)),
            ("n=true", json!(true)),
            ("n=null", Value::Null),
            ("n=[1,\"a\"]", json!([1, "a"])),
            ("n=\"1\"", json!("1")),
            ("n=plain text", json!("plain text")),
            ("n=a=b", json!("a=b")),
            ("n=", json!("")),
        ] {
            assert_eq!(argument(text), Ok(("n".to_owned(), value)), "{text}");
        }
        assert_eq!(variable("n=1"), Ok(("n".to_owned(), "1".to_owned())));
        for text in ["", "n", "=1"] {
            assert!(argument(text).is_err() && variable(text).is_err(), "{text}");
        }
    }
}
