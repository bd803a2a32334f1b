//! The prompt: on a real pseudo-terminal, and with code handed in on standard input.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::{Value, json};

use crate::support::{Daemon, Home, NOBODY, Ran, array, pluck, run, text, vm_system, wait_for};

/// What takes milliseconds, on a machine that is busy elsewhere.
const SOON: Duration = Duration::from_secs(30);

/// Rustyline says so when it has taken the terminal over, and waits for what is typed.
const READY: &str = "\u{1b}[?2004h";
const UP: &str = "\u{1b}[A";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

/// A prompt on a terminal.
struct Terminal {
    child: Child,
    terminal: File,
    shown: Arc<Mutex<String>>,
    /// Up to where the test has read.
    read: usize,
}

impl Terminal {
    /// Opens a prompt, and waits until it is there.
    #[track_caller]
    fn open(home: &Home, arguments: &[&str]) -> Self {
        let mut terminal = Self::start(home, &[&["--color", "never", "repl"], arguments].concat());
        terminal.expect(".help tells the commands");
        terminal.expect(READY);
        terminal
    }

    fn start(home: &Home, arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let end = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        let mut command = vm_system();
        command.args(arguments).env("TERM", "xterm").env("XDG_STATE_HOME", home.root().join("state"));
        command.current_dir(home.worktree()).stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        // It holds the other end, and its end is that of the terminal.
        drop(command);
        let terminal = File::from(master);
        let (mut reader, shown) = (terminal.try_clone().unwrap(), Arc::<Mutex<String>>::default());
        let kept = shown.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { child, terminal, shown, read: 0 }
    }

    fn keys(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is shown, and answers what stood before it.
    #[track_caller]
    fn expect(&mut self, expected: &str) -> String {
        let from = self.read;
        let look = || {
            let shown = self.shown.lock().unwrap();
            let at = shown[from..].find(expected)?;
            Some((shown[from..from + at].to_owned(), from + at + expected.len()))
        };
        let what = format!("{expected:?} in {:?}", &self.shown.lock().unwrap()[from..]);
        let (before, read) = wait_for(&what, SOON, look);
        self.read = read;
        before
    }

    /// Types a line, and waits for the next prompt. Answers what was printed in between.
    #[track_caller]
    fn line(&mut self, line: &str) -> String {
        self.keys(line);
        self.keys("\r");
        // The end of what was typed gives the terminal back.
        self.expect("\u{1b}[?2004l\r\n");
        self.expect(READY).replace("\r\n", "\n")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        let shown = self.shown.clone();
        wait_for(&format!("an end after {:?}", shown.lock().unwrap()), SOON, || self.child.try_wait().unwrap())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn history_file(home: &Home) -> PathBuf {
    home.root().join("state/vm-system/repl_history")
}

/// Hands code in on standard input.
fn piped(arguments: &[&str], change: impl FnOnce(&mut Command), code: &str) -> Ran {
    let directory = Home::new();
    let input = directory.root().join("stdin");
    fs::write(&input, code).unwrap();
    let mut command = vm_system();
    command.arg("repl").args(arguments).stdin(File::open(input).unwrap()).current_dir(directory.root());
    change(&mut command);
    run(command, SOON)
}

#[test]
fn inputs_are_run_when_they_are_whole_and_state_lasts() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, &[]);
    assert_eq!(terminal.line("let point = {left: 20, 'a b': 1}"), "undefined\n");
    assert_eq!(terminal.line("point.left * 2 + 2"), "42\n");
    assert_eq!(terminal.line("'it\\'s'"), "'it\\'s'\n");
    assert_eq!(terminal.line("point"), "{ left: 20, 'a b': 1 }\n");
    // More lines, until nothing is open.
    terminal.keys("function twice(n) {\r");
    terminal.keys("return n * 2\r");
    assert_eq!(terminal.line("}"), "undefined\n");
    assert_eq!(terminal.line("twice(21)"), "42\n");
    assert_eq!(terminal.line("await new Promise(r => setTimeout(r, 10, 'late'))"), "'late'\n");
    let thrown = terminal.line("null.x");
    assert!(thrown.starts_with("TypeError: ") && thrown.contains("repl:1:"), "{thrown}");
    assert_eq!(terminal.line("console.log('a'); console.error('b'); 7"), "a\nb\n7\n");
    assert_eq!(terminal.line(""), "");
    terminal.keys(CTRL_D);
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn tab_completes_live_names() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, &[]);
    terminal.line("const thing = {left: 7, 'a b': 8, get lazy() { called = true; return {} }}; var called = false");
    assert_eq!(terminal.line("thin\t.le\t"), "7\n");
    // Where there is more than one way, the ways are shown.
    terminal.keys("thing.l\t\t");
    terminal.expect("lazy");
    terminal.expect("left");
    terminal.keys(CTRL_C);
    terminal.expect(READY);
    assert_eq!(terminal.line("called"), "false\n");
    // A name that is no identifier takes the place of the dot.
    terminal.line("const odd = {'a b': 8}; Object.setPrototypeOf(odd, null)");
    assert_eq!(terminal.line("odd.\t"), "8\n");
    assert!(terminal.line(".he\t").contains(".editor"));
}

#[test]
fn ctrl_c_cancels_what_runs_and_keeps_what_it_has_made() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, &[]);
    terminal.keys("let made = 1; console.log('up'); for (;;) made++\r");
    // It is shown while the code runs, which never ends by itself.
    terminal.expect("\nup\r\n");
    terminal.signal(Signal::INT);
    terminal.expect("execution cancelled [CANCELLED]");
    terminal.expect(READY);
    assert_eq!(terminal.line("made > 1"), "true\n");
    // What is typed is thrown away first.
    terminal.keys("thrown away");
    terminal.expect("thrown away");
    terminal.keys(CTRL_C);
    terminal.expect(READY);
    terminal.keys(CTRL_C);
    terminal.expect("Ctrl+C again leaves");
    terminal.expect(READY);
    // Whoever goes on typing does not leave.
    assert_eq!(terminal.line("made > 2"), "true\n");
    terminal.keys(CTRL_C);
    terminal.expect("Ctrl+C again leaves");
    terminal.expect(READY);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn what_was_typed_is_recalled_at_the_next_prompt() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, &[]);
    terminal.line("'first'");
    terminal.line(" 'secret'");
    terminal.keys("[\r");
    terminal.line("'several', 'lines']");
    terminal.keys(".exit\r");
    assert_eq!(terminal.end().code(), Some(0));
    assert_eq!(fs::metadata(history_file(&home)).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(history_file(&home)).unwrap();
    assert!(!kept.contains("secret"), "{kept}");

    let mut terminal = Terminal::open(&home, &[]);
    // The newest is the command, then come the lines, then the first.
    terminal.keys(&UP.repeat(2));
    assert_eq!(terminal.line(""), "[ 'several', 'lines' ]\n");
    // A file that cannot be kept is said, and no more.
    drop(terminal);
    fs::remove_file(history_file(&home)).unwrap();
    fs::create_dir(history_file(&home)).unwrap();
    let mut terminal = Terminal::start(&home, &["--color", "never", "repl"]);
    terminal.expect("what is typed is not kept for later prompts");
    terminal.expect(READY);
    assert_eq!(terminal.line("1 + 1"), "2\n");
}

#[test]
fn commands_load_save_and_tell_events() {
    let home = Home::new();
    home.write("setup.js", "console.log('set up'); var fromFile = 5");
    home.write("more.js", "const more = fromFile * 2;\nmore");
    let file = home.worktree().join("setup.js");
    let mut terminal = Terminal::start(&home, &["--color", "never", "repl", file.to_str().unwrap()]);
    terminal.expect("set up\r\n");
    terminal.expect(READY);
    assert_eq!(terminal.line("fromFile"), "5\n");
    assert_eq!(terminal.line(".load more.js"), "10\n");
    let events = terminal.line(".events");
    assert!(events.starts_with("[1] input_echo: ") && events.contains("\n[2] value: {\"type\":\"number\""), "{events}");
    terminal.line("throw 1");
    assert_eq!(terminal.line(".save saved.js"), "Saved: 2 snippets to saved.js\n");
    let saved = home.worktree().join("saved.js");
    assert_eq!(fs::read_to_string(&saved).unwrap(), "fromFile\nconst more = fromFile * 2;\nmore\n");
    // Nothing is overwritten.
    assert!(terminal.line(".save saved.js").contains("[IO_ERROR]"));
    assert!(terminal.line(".load nothing.js").contains("cannot load nothing.js"));
    assert_eq!(terminal.line(".load"), "Usage: .load FILE\n");
    assert_eq!(terminal.line(".nonsense"), "No such command: .nonsense; .help tells them\n");
    assert!(terminal.line(".help").contains(".save FILE"));
    assert_eq!(terminal.line(".5 + 1"), "1.5\n");
    terminal.keys(".editor\r");
    terminal.expect("Ctrl+D on an empty line runs it");
    terminal.expect(READY);
    for line in ["const text = [", "'{', 1,", "].join()", "text"] {
        terminal.keys(&format!("{line}\r"));
        terminal.expect(READY);
    }
    terminal.keys(CTRL_D);
    terminal.expect("'{,1'\r\n");
    terminal.expect(READY);
    terminal.keys(".exit\r");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn colours_are_for_those_who_want_them() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--color", "always", "repl"]);
    terminal.expect(READY);
    terminal.keys("let text = 'a'");
    terminal.expect("\u{1b}[35mlet\u{1b}[0m text = \u{1b}[32m'a'\u{1b}[0m");
    let mut plain = Terminal::open(&home, &[]);
    let shown = plain.line("let text = 'a'");
    assert!(!shown.contains("[35m") && !shown.contains("[2m"), "{shown:?}");
}

#[test]
fn a_terminal_is_left_as_it_was() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, &[]);
    let is_raw = |terminal: &Terminal| !tcgetattr(&terminal.terminal).unwrap().local_modes.contains(LocalModes::ICANON);
    assert!(is_raw(&terminal));
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end().code(), Some(143));
    assert!(!is_raw(&terminal));
}

#[test]
fn a_session_of_a_daemon_is_shared_and_stays() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "var shared = {inner: 1}");
    daemon.home.write("file.js", "shared.file = 2");
    let url = daemon.url();
    let mut terminal = Terminal::open(&daemon.home, &["--server-url", &url, "--session", &session, "file.js"]);
    assert_eq!(terminal.line("shared"), "{ inner: 1, file: 2 }\n");
    assert_eq!(terminal.line("shared.inn\t + 1"), "2\n");
    terminal.keys("[1,\r");
    assert_eq!(terminal.line("2]"), "[ 1, 2 ]\n");
    terminal.keys("shared.left = 3; console.log('up'); for (;;);\r");
    terminal.expect("\nup\r\n");
    terminal.signal(Signal::INT);
    terminal.expect("execution cancelled [CANCELLED]");
    terminal.expect(READY);
    assert_eq!(daemon.preview(&session, "shared.left"), "3");
    terminal.keys(".exit\r");
    assert_eq!(terminal.end().code(), Some(0));
    assert_eq!(daemon.session_record(&session)["status"], "ready");
    let typed = daemon.get(&format!("/sessions/{session}/history?limit=5")).ok(200);
    assert!(pluck(&array(typed["entries"].clone()), "input").contains(&"[1,\n2]".to_owned()));

    // One that ends takes its prompt along.
    let mut terminal = Terminal::open(&daemon.home, &["--server-url", &url, "--session", &session]);
    daemon.poke(&format!("/sessions/{session}/close")).ok(200);
    terminal.keys("1\r");
    terminal.expect("[SESSION_NOT_READY]");
    assert_eq!(terminal.end().code(), Some(1));
}

#[test]
fn what_others_print_does_not_drive_the_terminal() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let url = daemon.url();
    let code = "console.log('\u{1b}[2J'); console.error('\u{1b}[3J'); ({['\u{9b}4J']: 1, b: new (class { constructor() { throw '\u{1b}[5J' } })()})";
    let ran = piped(&["--server-url", &url, "--session", &session], |_| (), code).expect(4);
    assert_eq!(ran.stdout, "\\u001b[2J\n");
    assert!(ran.stderr.starts_with("\\u001b[3J\n"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    // What is run right here is one's own, as with `run`.
    assert_eq!(piped(&[], |_| (), "console.log('\u{1b}[1m')").expect(0).stdout, "\u{1b}[1m\n");
}

#[test]
fn a_session_of_a_template_is_closed_in_the_end() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({ "name": "for the prompt" }));
    let url = daemon.url();
    let mut terminal = Terminal::open(&daemon.home, &["--server-url", &url, "--template", "for the prompt"]);
    assert_eq!(terminal.line("globalThis.x = 1"), "1\n");
    let sessions = array(daemon.get("/sessions").ok(200));
    assert_eq!((&sessions[0]["template_id"], &sessions[0]["status"]), (&json!(template), &json!("ready")));
    terminal.keys(CTRL_D);
    assert_eq!(terminal.end().code(), Some(0));
    assert_eq!(daemon.session_record(&text(&sessions[0]["id"]))["status"], "closed");
}

#[test]
fn code_on_standard_input_is_one_snippet_with_an_exit_code() {
    for (code, exit, stdout) in [
        ("6 * 7", 0, "42\n"),
        ("let a = 1\nlet b = 2\na + b\n", 0, "3\n"),
        ("console.log('said'); undefined", 0, "said\n"),
        ("'text'", 0, "text\n"),
        ("", 0, ""),
        ("  \n", 0, ""),
        ("console.log(1); throw new Error('x')", 4, "1\n"),
        ("let a = ", 4, ""),
    ] {
        let ran = piped(&[], |_| (), code).expect(exit);
        assert_eq!(ran.stdout, stdout, "{code}");
        assert_eq!(ran.stderr.is_empty(), exit == 0, "{code}: {}", ran.stderr);
    }
    let ran = piped(&["--cpu-ms", "50"], |_| (), "for (;;);").expect(4);
    assert!(ran.stderr.contains("[TIMEOUT]"), "{}", ran.stderr);
    let document: Value = serde_json::from_str(&piped(&["--json"], |_| (), "[1]").expect(0).stdout).unwrap();
    assert_eq!((&document["status"], &document["result"]["json"]), (&json!("ok"), &json!([1])));
    let home = Home::new();
    home.write("setup.js", "var base = 40");
    home.write("fails.js", "throw new Error('no')");
    let file = |name: &str| home.worktree().join(name).to_str().unwrap().to_owned();
    assert_eq!(piped(&[&file("setup.js")], |_| (), "base + 2").expect(0).stdout, "42\n");
    assert_eq!(piped(&[&file("fails.js")], |_| (), "console.log('not run')").expect(4).stdout, "");
    piped(&[&file("missing.js")], |_| (), "1").expect(1);
    // What a prompt keeps, a pipe does not.
    let state = home.root().join("state");
    let keeps = |command: &mut Command| {
        command.env("XDG_STATE_HOME", &state);
    };
    piped(&[], keeps, "1").expect(0);
    assert!(!state.exists());
}

#[test]
fn a_daemons_session_takes_code_from_standard_input_too() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let url = daemon.url();
    assert_eq!(
        piped(&["--server-url", &url, "--session", &session], |_| (), "globalThis.n = 7").expect(0).stdout,
        "7\n"
    );
    assert_eq!(daemon.preview(&session, "n"), "7");
    for (arguments, exit, said) in [
        (vec!["--session", NOBODY], 1, "[SESSION_NOT_FOUND]"),
        (vec!["--template", "none"], 1, "[TEMPLATE_NOT_FOUND]"),
        (vec!["--session", session.as_str(), "--cpu-ms", "5"], 2, "[USAGE]"),
    ] {
        let ran = piped(&[&["--server-url", &url], arguments.as_slice()].concat(), |_| (), "1").expect(exit);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    piped(&["--server-url", "http://127.0.0.1:1", "--session", &session], |_| (), "1").expect(3);
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["repl", "--json"]);
    assert_eq!(terminal.end().code(), Some(2));
}

#[test]
fn ctrl_c_ends_what_was_handed_in() {
    let home = Home::new();
    let input = home.root().join("stdin");
    fs::write(&input, "console.log('up'); for (;;);").unwrap();
    let mut command = vm_system();
    command.arg("repl").stdin(File::open(input).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut up = [0; 3];
    stdout.read_exact(&mut up).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let status = wait_for("the command to end", SOON, || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(130));
}
