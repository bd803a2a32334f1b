//! Libraries: how they get into the cache, what is refused, and that those of the catalogue do what they are for.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::npm::{copy_of_libraries, libraries, packages};
use crate::support::{self, Daemon, Ran, all_cases, holds, names_in, refused, run, same, text, vm_system};

/// Everything here is on this machine.
const SOON: Duration = Duration::from_secs(60);

/// The files that the catalogue names, and the paths by which a network serves them.
const FILES: &[(&str, &str)] = &[
    ("axios-1.6.0.js", "/npm/axios@1.6.0/dist/axios.min.js"),
    ("dayjs-1.11.10.js", "/npm/dayjs@1.11.10/dayjs.min.js"),
    ("lodash-4.17.21.js", "/npm/lodash@4.17.21/lodash.min.js"),
    ("moment-2.29.4.js", "/npm/moment@2.29.4/min/moment.min.js"),
    ("ramda-0.29.0.js", "/npm/ramda@0.29.0/dist/ramda.min.js"),
    ("zustand-4.4.7.js", "/npm/zustand@4.4.7/umd/vanilla.production.js"),
];

/// A network that serves packages, on this machine. It ends with the test's process.
struct Network {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Network {
    /// Serves every file of the catalogue.
    fn whole() -> Self {
        let content = |file| fs::read(libraries().join(file)).unwrap();
        Self::of(FILES.iter().map(|&(file, path)| (path, answer("200 OK", &content(file)))))
    }

    /// Serves some answers by their paths, and 404 for others.
    fn of(answers: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/npm", listener.local_addr().unwrap());
        let answers: Arc<BTreeMap<_, _>> = Arc::new(answers.into_iter().collect());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, log) = (Arc::clone(&answers), Arc::clone(&log));
                thread::spawn(move || serve(&stream, &answers, &log));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

fn serve(mut stream: &TcpStream, answers: &BTreeMap<&str, Vec<u8>>, log: &Mutex<Vec<String>>) {
    let head: Vec<_> =
        BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else { return };
    log.lock().unwrap().push(path.to_owned());
    let nothing = answer("404 Not Found", b"no such file");
    // The client may have left already: that is its right.
    let _ = stream.write_all(answers.get(path).unwrap_or(&nothing));
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A home of its own for each test; its cache is where the default puts it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn cache(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(".vm-cache/libraries")
    }

    fn libs(&self, arguments: &[&str]) -> Ran {
        let mut command = vm_system();
        command.current_dir(self.0.path()).arg("libs").args(arguments);
        run(command, SOON)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.libs(&[arguments, &["--json"]].concat()).expect(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// The libraries that are cached, with what the check of each says.
    fn checks(&self) -> BTreeMap<String, String> {
        let list = self.json(&["list"]);
        let cached = list.as_array().unwrap().iter().filter(|library| library["cached"] == true);
        cached
            .map(|library| {
                let text = |key: &str| library[key].as_str().unwrap_or_default().to_owned();
                (format!("{}-{}", text("name"), text("version")), text("check"))
            })
            .collect()
    }
}

#[test]
fn libraries_are_downloaded_once_and_are_what_they_should_be() {
    let (home, network) = (Home::new(), Network::whole());
    let ran = home.libs(&["download", "--cdn", &network.address]).expect(0);
    assert_eq!(ran.lines().first(), Some(&"Downloaded: axios-1.6.0 (32316 bytes)"));
    assert_eq!(ran.lines().last(), Some(&format!("Cache: {}", home.cache().display()).as_str()));
    assert_eq!(ran.stderr, "", "progress is for terminals");
    assert_eq!(network.asked(), FILES.iter().map(|(_, path)| *path).collect::<Vec<_>>());

    let mut names: Vec<_> = FILES.iter().map(|(file, _)| (*file).to_owned()).collect();
    names.extend([".lock".to_owned(), "manifest.json".to_owned()]);
    names.sort();
    assert_eq!(names_in(&home.cache()), names);
    for (file, _) in FILES {
        assert_eq!(fs::read(home.cache().join(file)).unwrap(), fs::read(libraries().join(file)).unwrap(), "{file}");
    }
    assert!(home.checks().values().all(|check| check == "verified"));

    // There already: nobody is asked, and a network that is gone does not matter.
    let ran = home.libs(&["download", "--cdn", "http://127.0.0.1:1/npm"]).expect(0);
    assert_eq!(ran.lines().first(), Some(&"Already there: axios-1.6.0"));
    home.libs(&["download", "lodash", "--force", "--cdn", &network.address]).expect(0);
    assert_eq!(network.asked().len(), FILES.len() + 1);
}

#[test]
fn one_that_fails_keeps_no_other_from_being_there() {
    let home = Home::new();
    let content = |file| fs::read(libraries().join(file)).unwrap();
    let mut other = content("dayjs-1.11.10.js");
    other[100] ^= 1;
    let lodash = content("lodash-4.17.21.js");
    let long = [content("ramda-0.29.0.js"), b" ".to_vec()].concat();
    let mut cut = answer("200 OK", &lodash);
    cut.truncate(10_000);
    let network = Network::of([
        ("/npm/axios@1.6.0/dist/axios.min.js", answer("200 OK", &content("axios-1.6.0.js"))),
        ("/npm/dayjs@1.11.10/dayjs.min.js", answer("200 OK", &other)),
        ("/npm/lodash@4.17.21/lodash.min.js", cut),
        (
            "/npm/moment@2.29.4/min/moment.min.js",
            b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n".to_vec(),
        ),
        ("/npm/ramda@0.29.0/dist/ramda.min.js", answer("200 OK", &long)),
    ]);
    let ran = home.libs(&["download", "--cdn", &network.address, "--json"]).expect(1);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let outcome = |name: &str| {
        let found = report["libraries"].as_array().unwrap().iter().find(|library| library["name"] == name).unwrap();
        (found["outcome"].as_str().unwrap().to_owned(), found["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(outcome("axios"), ("downloaded".to_owned(), String::new()));
    all_cases(
        [
            ("dayjs", "checksum"),
            ("lodash", "lodash@4.17.21/lodash.min.js"),
            ("moment", "302"),
            ("ramda", "more than 52543 bytes"),
            ("zustand", "404"),
        ],
        |(name, why)| {
            let (outcome, error) = outcome(name);
            same(name, outcome.as_str(), "failed")?;
            holds(name, error.contains(why), &error)
        },
    );
    let envelope: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(envelope["error"]["code"], "DOWNLOAD_FAILED");
    let message = envelope["error"]["message"].as_str().unwrap();
    assert!(["dayjs-1.11.10", "lodash-4.17.21", "moment-2.29.4"].iter().all(|id| message.contains(id)), "{message}");
    assert_eq!(names_in(&home.cache()), [".lock", "axios-1.6.0.js", "manifest.json"], "nothing half done");

    // The same command again, once the network is well, gets the rest.
    let network = Network::whole();
    home.libs(&["download", "--cdn", &network.address]).expect(0);
    assert_eq!(network.asked().len(), 5);
    assert_eq!(home.checks().len(), 6);
}

#[test]
fn errors_of_a_download_say_what_to_try() {
    let home = Home::new();
    let ran = home.libs(&["download", "lodash", "--cdn", "http://127.0.0.1:1/npm"]).expect(1);
    assert!(ran.stderr.contains("[DOWNLOAD_FAILED]") && ran.stderr.contains("--from npm"), "{}", ran.stderr);
    let ran = home.libs(&["download", "left-pad"]).expect(1);
    assert!(ran.stderr.contains("[LIBRARY_NOT_FOUND]") && ran.stderr.contains("libs add"), "{}", ran.stderr);
    // A path without npm on it, and one with an npm that cannot reach its registry.
    let path = home.0.path().join("bin");
    fs::create_dir(&path).unwrap();
    let from_npm = || {
        let mut command = vm_system();
        command.current_dir(home.0.path()).env("PATH", &path).args(["libs", "download", "lodash", "--from", "npm"]);
        run(command, SOON).expect(1).stderr
    };
    let said = from_npm();
    assert!(said.contains("[NPM_NOT_FOUND]") && said.contains("--from cdn"), "{said}");
    let npm = path.join("npm");
    fs::write(&npm, "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho 'npm error network is down' >&2\nexit 1\n")
        .unwrap();
    fs::set_permissions(&npm, fs::Permissions::from_mode(0o755)).unwrap();
    let said = from_npm();
    assert!(said.contains("npm error network is down") && said.contains("npm ping"), "{said}");
    assert!(!home.cache().exists());
}

#[test]
fn progress_is_shown_on_a_terminal() {
    let (home, network) = (Home::new(), Network::whole());
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let mut command = vm_system();
    command.current_dir(home.0.path()).args(["libs", "download", "--cdn", &network.address]);
    command
        .env("TERM", "xterm")
        .stdout(Stdio::null())
        .stderr(File::options().read(true).write(true).open(name).unwrap());
    let mut child = command.spawn().unwrap();
    drop(command);
    // A terminal whose other side has gone fails to be read: that is its end.
    let mut shown = Vec::new();
    let _ = File::from(terminal).read_to_end(&mut shown);
    assert!(child.wait().unwrap().success());
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("lodash-4.17.21") && shown.contains('['), "{shown:?}");
}

#[test]
fn programs_that_download_at_the_same_time_lose_nothing() {
    let (home, network) = (Home::new(), Network::whole());
    let runs: Vec<_> = FILES
        .iter()
        .map(|(file, _)| {
            let mut command = vm_system();
            command.current_dir(home.0.path()).args(["libs", "download", "--force", "--cdn", &network.address]);
            command.arg(file.trim_end_matches(".js"));
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let checks = home.checks();
    assert_eq!((checks.len(), checks.values().all(|check| check == "verified")), (6, true), "{checks:?}");
}

#[test]
fn verify_tells_what_was_changed() {
    let home = Home::new();
    assert_eq!(home.libs(&["verify"]).expect(0).stdout, "No libraries found\n");
    copy_of_libraries(&home.cache());
    home.libs(&["verify"]).expect(0);
    fs::write(home.cache().join("mine-1.0.0.js"), "var mine = 1").unwrap();
    let ran = home.libs(&["verify"]).expect(0);
    assert!(ran.lines().contains(&"mine-1.0.0: unverified"), "{}", ran.stdout);

    let file = home.cache().join("lodash-4.17.21.js");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("4.17.21", "4.17.20", 1)).unwrap();
    let ran = home.libs(&["verify"]).expect(1);
    assert!(ran.lines().contains(&"lodash-4.17.21: damaged"), "{}", ran.stdout);
    assert!(ran.stderr.contains("[LIBRARY_DAMAGED]"), "{}", ran.stderr);
    assert!(ran.stderr.contains("vm-system libs download lodash-4.17.21"), "{}", ran.stderr);
    // Which is what helps, without --force.
    home.libs(&["download", "lodash-4.17.21", "--cdn", &Network::whole().address]).expect(0);
    home.libs(&["verify"]).expect(0);
}

#[test]
fn a_library_of_ones_own_is_added_listed_and_removed() {
    let home = Home::new();
    let file = home.0.path().join("mine.js");
    fs::write(&file, "var Mine = { twice: n => n * 2 }").unwrap();
    let path = file.to_str().unwrap();
    let add = |version: &str| {
        home.libs(&[
            "add",
            path,
            "--name",
            "mine",
            "--version",
            version,
            "--global",
            "Mine",
            "--description",
            "Doubles",
        ])
    };
    assert_eq!(add("1.2.3").expect(0).stdout, "Added library: mine-1.2.3 (32 bytes)\n");
    add("1.10.0").expect(0);
    let list = home.json(&["list"]);
    let mine: Vec<_> = list.as_array().unwrap().iter().filter(|library| library["name"] == "mine").collect();
    assert_eq!(mine.len(), 2);
    let mut shown = mine[0].clone();
    let integrity = shown.as_object_mut().unwrap().remove("integrity").unwrap();
    assert!(integrity.as_str().unwrap().starts_with("sha512-"));
    assert_eq!(
        shown,
        json!({"id": "mine", "name": "mine", "version": "1.2.3", "description": "Doubles", "global": "Mine",
            "cached": true, "in_catalog": false, "check": "verified", "bytes": 32})
    );
    assert_eq!(home.json(&["list"]).as_array().unwrap().len(), 8, "the catalogue is listed too");

    home.libs(&["remove", "mine"]).expect(2);
    assert_eq!(home.libs(&["remove", "mine-1.2.3"]).expect(0).stdout, "Removed library: mine-1.2.3\n");
    home.libs(&["remove", "mine"]).expect(0);
    home.libs(&["remove", "mine"]).expect(1);
    assert!(home.checks().is_empty());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let home = Home::new();
    let file = home.0.path().join("x.js");
    fs::write(&file, "1").unwrap();
    let path = file.to_str().unwrap();
    for name in ["../x", "/x", "a/b", "", "x-1.0.0", "UPPER"] {
        home.libs(&["add", path, "--name", name, "--version", "1.0.0"]).expect(2);
        if !name.is_empty() && name != "x-1.0.0" {
            home.libs(&["remove", name]).expect(2);
        }
    }
    for version in ["1", "../1.0.0", "1.0.0/../../x"] {
        home.libs(&["add", path, "--name", "x", "--version", version]).expect(2);
    }
    home.libs(&["add", path, "--name", "lodash", "--version", "4.17.21", "--global", "_"]).expect(2);
    home.libs(&["add", "no-such-file.js", "--name", "x", "--version", "1.0.0"]).expect(1);
    assert!(!home.cache().exists());
}

#[test]
fn where_the_cache_is_can_be_said_in_three_ways() {
    let home = Home::new();
    let path = |variables: &[(&str, &str)]| {
        let mut command = vm_system();
        command.current_dir(home.0.path()).args(["libs", "cache-info", "--json"]).envs(variables.iter().copied());
        serde_json::from_str::<Value>(&run(command, SOON).expect(0).stdout).unwrap()
    };
    let at = |path: &Path| json!({"path": path, "exists": false, "files": 0, "bytes": 0});
    let root = home.0.path().canonicalize().unwrap();
    assert_eq!(path(&[]), at(&root.join(".vm-cache/libraries")));
    assert_eq!(path(&[("VM_SYSTEM_CACHE_DIR", "elsewhere")]), at(&root.join("elsewhere")));
    let ran = home.libs(&["cache-info", "--cache-dir", "/no/where"]).expect(0);
    assert_eq!(ran.stdout, "Path: /no/where\nExists: no\nLibraries: 0\nBytes: 0\n");
}

/// A check of a library: an expression, and the value that it must come to.
struct Check {
    code: String,
    expected: Value,
}

/// Reads a file of checks: a line is `EXPRESSION // => JSON`.
fn checks(name: &str) -> Vec<Check> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/libraries").join(format!("{name}.txt"));
    let text = fs::read_to_string(path).unwrap();
    let checks = text.lines().filter(|line| !line.is_empty()).map(|line| {
        let (code, expected) = line.rsplit_once(" // => ").unwrap();
        Check { code: code.to_owned(), expected: serde_json::from_str(expected).unwrap() }
    });
    checks.collect()
}

#[test]
fn every_library_does_what_it_is_for() {
    let home = support::Home::new();
    copy_of_libraries(&home.root().join(".vm-cache/libraries"));
    let daemon = Daemon::at(&home);
    all_cases(FILES, |(file, _)| {
        let (name, _) = file.split_once('-').unwrap();
        // By its name, and by its name and version.
        for library in [name, file.trim_end_matches(".js")] {
            let template = daemon.template(json!({"name": library}));
            daemon.cli(&["template", "add-library", &template, "--name", library]).expect(0);
            let session = daemon.session_of(&template);
            for check in checks(name) {
                let code = format!("JSON.stringify({})", check.code);
                let execution = daemon.repl(&session, &code);
                let found = execution["result"]["json"].as_str().map(|text| serde_json::from_str(text).unwrap());
                same(&format!("{library}: {}: {execution}", check.code), found, Some(check.expected))?;
            }
        }
        Ok(())
    });
    // All of them at once, and one that is named twice.
    let template = daemon.template(json!({"name": "all"}));
    for (file, _) in FILES {
        let (name, _) = file.split_once('-').unwrap();
        daemon.cli(&["template", "add-library", &template, "--name", name]).expect(0);
    }
    daemon.cli(&["template", "add-library", &template, "--name", "lodash-4.17.21"]).expect(0);
    let session = daemon.session_of(&template);
    let types = "[_, moment, axios, R, dayjs, zustand].map((library) => typeof library).join()";
    assert_eq!(daemon.preview(&session, types), "function,function,function,object,function,object");
}

#[test]
fn a_library_that_is_missing_or_damaged_fails_the_session_and_says_so() {
    let home = support::Home::new();
    let cache = home.root().join(".vm-cache/libraries");
    fs::create_dir_all(&cache).unwrap();
    fs::write(cache.join("throws-1.0.0.js"), "throw new RangeError('at load')").unwrap();
    fs::write(cache.join("loops-1.0.0.js"), "for (;;);").unwrap();
    fs::write(cache.join("broken-1.0.0.js"), "let = ;;;(").unwrap();
    fs::write(cache.join("fine-1.0.0.js"), "var fine = 'unverified'; console.log('loading')").unwrap();
    let daemon = Daemon::at(&home);
    let cases = [
        ("throws", "RangeError: at load"),
        ("loops", "passed a limit"),
        ("broken", "broken-1.0.0.js"),
        ("lodash", "vm-system libs download lodash"),
    ];
    all_cases(cases, |(library, words)| {
        let template = daemon.template(json!({"name": library, "limits": {"cpu_ms": 200}}));
        daemon.cli(&["template", "add-library", &template, "--name", library]).expect(0);
        let response = daemon.post("/sessions", &daemon.session_request(&template));
        refused(library, &response, 422, "STARTUP_FAILED")?;
        let last_error = text(&response.json()["error"]["details"]["last_error"]);
        holds(library, last_error.contains(words), &last_error)?;
        let session = text(&response.json()["error"]["details"]["session_id"]);
        same(library, text(&daemon.session_record(&session)["status"]), "crashed".to_owned())
    });
    let template = daemon.template(json!({"name": "fine"}));
    daemon.cli(&["template", "add-library", &template, "--name", "fine"]).expect(0);
    assert_eq!(daemon.preview(&daemon.session_of(&template), "fine"), "unverified");
}

#[test]
fn packages_for_tests_are_there() {
    for package in ["semver", "p-limit", "yocto-queue", "clsx"] {
        assert!(packages().join("node_modules").join(package).join("package.json").is_file(), "{package}");
    }
}
