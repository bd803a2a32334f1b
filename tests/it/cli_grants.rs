//! The command line's part in what templates can be given: the commands of the reference, as they are printed there.

use serde_json::{Value, json};

use crate::support::{Daemon, NOBODY, all_cases, check_id, check_members, holds, run, same, text, vm_system};

/// Creates a template by the command line. Answers its id.
#[track_caller]
fn create_template(daemon: &Daemon, name: &str) -> String {
    text(&document(daemon, &["template", "create", "--name", name])["id"])
}

/// What a command prints under `--json`.
#[track_caller]
fn document(daemon: &Daemon, arguments: &[&str]) -> Value {
    let ran = daemon.cli(&[arguments, &["--json"]].concat()).expect(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The cells of a table, row by row.
#[track_caller]
fn table(daemon: &Daemon, arguments: &[&str]) -> Vec<Vec<String>> {
    let ran = daemon.cli(arguments).expect(0);
    let row = |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect();
    ran.stdout.lines().map(row).collect()
}

#[test]
fn modules_are_managed() {
    let daemon = Daemon::start();
    let id = create_template(&daemon, "t");
    assert_eq!(daemon.cli(&["template", "list-modules", &id]).expect(0).stdout, "No modules found\n");
    let added = daemon.cli(&["template", "add-module", &id, "--name", "fs"]).expect(0);
    assert_eq!((added.stdout.as_str(), added.stderr.as_str()), (&*format!("Added module: fs to template {id}\n"), ""));
    daemon.cli(&["template", "add-module", &id, "--name", "exec"]).expect(0);
    assert_eq!(daemon.cli(&["template", "list-modules", &id]).expect(0).stdout, "NAME\nfs\nexec\n");
    assert_eq!(document(&daemon, &["template", "list-modules", &id]), json!(["fs", "exec"]));
    let removed = daemon.cli(&["template", "remove-module", &id, "--name", "fs"]).expect(0);
    assert_eq!(removed.stdout, format!("Removed module: fs from template {id}\n"));
    daemon.cli(&["template", "remove-module", &id, "--name", "fs"]).expect(0);
    assert_eq!(document(&daemon, &["template", "list-modules", &id]), json!(["exec"]));

    let rows = table(&daemon, &["template", "list-available-modules"]);
    assert_eq!(rows[0], ["NAME", "DESCRIPTION", "FUNCTIONS"]);
    let names: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["database", "exec", "fs"], "as the reference shows them");
}

#[test]
fn libraries_are_managed() {
    let daemon = Daemon::start();
    let id = create_template(&daemon, "t");
    let rows = table(&daemon, &["template", "list-available-libraries"]);
    assert_eq!(rows[0], ["NAME", "VERSION", "GLOBAL", "CACHED", "DESCRIPTION"]);
    for name in ["lodash", "moment", "axios", "ramda", "dayjs", "zustand"] {
        assert!(rows.iter().any(|row| row[0] == name && row[3] == "false"), "{name}: {rows:?}");
    }
    assert_eq!(daemon.cli(&["template", "list-libraries", &id]).expect(0).stdout, "No libraries found\n");
    let added = daemon.cli(&["template", "add-library", &id, "--name", "lodash"]).expect(0);
    assert_eq!(added.stdout, format!("Added library: lodash to template {id}\n"));
    assert_eq!(daemon.cli(&["template", "list-libraries", &id]).expect(0).stdout, "NAME\nlodash\n");

    // One's own, which the daemon finds in the cache without being told.
    std::fs::write(daemon.home.root().join("mine.js"), "var mine = 1").unwrap();
    assert!(
        daemon.cli(&["template", "add-library", &id, "--name", "mine"]).expect(1).stderr.contains("LIBRARY_NOT_FOUND")
    );
    daemon.cli(&["libs", "add", "mine.js", "--name", "mine", "--version", "1.0.0", "--global", "mine"]).expect(0);
    daemon.cli(&["template", "add-library", &id, "--name", "mine-1.0.0"]).expect(0);
    let rows = table(&daemon, &["template", "list-available-libraries"]);
    assert!(rows.contains(&["mine", "1.0.0", "mine", "true"].map(str::to_owned).to_vec()), "{rows:?}");
    let removed = daemon.cli(&["template", "remove-library", &id, "--name", "lodash"]).expect(0);
    assert_eq!(removed.stdout, format!("Removed library: lodash from template {id}\n"));
    assert_eq!(document(&daemon, &["template", "list-libraries", &id]), json!(["mine-1.0.0"]));
}

#[test]
fn capabilities_are_managed() {
    let daemon = Daemon::start();
    let id = create_template(&daemon, "t");
    assert_eq!(daemon.cli(&["template", "list-capabilities", &id]).expect(0).stdout, "No capabilities found\n");
    // As the reference prints it, with and without its options.
    let exec = document(&daemon, &["template", "add-capability", &id, "--name", "exec"]);
    check_members(&exec, &["id", "template_id", "vm_id", "kind", "name", "enabled", "config"]);
    check_id(&exec["id"]);
    assert_eq!((&exec["kind"], &exec["enabled"], &exec["config"]), (&json!("module"), &json!(false), &json!({})));
    let line = ["template", "add-capability", &id, "--name", "fs", "--kind", "module", "--config", "{}", "--enabled"];
    let added = daemon.cli(&line).expect(0);
    let fs = document(&daemon, &["template", "list-capabilities", &id])[1].clone();
    let fs_id = text(&fs["id"]);
    let expected = format!("Added capability: fs (ID: {fs_id}, kind: module, enabled: true) to template {id}\n");
    assert_eq!(added.stdout, expected);
    let docs = r#"{"read": ["docs"], "write": []}"#;
    daemon.cli(&["template", "add-capability", &id, "--kind", "fs", "--name", "docs", "--config", docs]).expect(0);

    let rows = table(&daemon, &["template", "list-capabilities", &id]);
    assert_eq!(rows[0], ["ID", "KIND", "NAME", "ENABLED", "CONFIG"]);
    assert_eq!(rows[2], [fs_id.as_str(), "module", "fs", "true", "{}"]);
    assert_eq!(rows[3][1..], ["fs", "docs", "false", r#"{"read":["docs"],"write":[]}"#]);

    let removed = daemon.cli(&["template", "remove-capability", &id, &fs_id]).expect(0);
    assert_eq!(removed.stdout, format!("Removed capability: {fs_id} from template {id}\n"));
    assert_eq!(document(&daemon, &["template", "list-capabilities", &id]).as_array().unwrap().len(), 2);
}

#[test]
fn a_template_is_shown_with_all_that_it_was_given() {
    let daemon = Daemon::start();
    let id = create_template(&daemon, "t");
    daemon.cli(&["template", "add-module", &id, "--name", "database"]).expect(0);
    daemon.cli(&["template", "add-library", &id, "--name", "ramda"]).expect(0);
    let value = r#"{"value": {"a": 1}}"#;
    let line = ["template", "add-capability", &id, "--kind", "global", "--name", "g", "--config", value, "--enabled"];
    daemon.cli(&line).expect(0);
    daemon.cli(&["template", "add-startup", &id, "--path", "init.js", "--order", "1"]).expect(0);
    let shown = daemon.cli(&["template", "get", &id]).expect(0).stdout;
    let expected = "Modules: database\nLibraries: ramda\nCapabilities:\n  global g (enabled): {\"value\":{\"a\":1}}\n\
                    Startup Files:\n  init.js (order: 1, mode: eval)\n";
    assert!(shown.ends_with(expected), "{shown}");
    let document = document(&daemon, &["template", "get", &id]);
    check_members(&document, &["template", "settings", "capabilities", "startup_files"]);
    assert_eq!(document, daemon.get(&format!("/templates/{id}")).ok(200));
}

#[test]
fn a_template_is_updated() {
    let daemon = Daemon::start();
    let id = create_template(&daemon, "t");
    let updated = daemon.cli(&["template", "update", &id, "--name", "u", "--set", "limits.cpu_ms=1000"]).expect(0);
    assert_eq!(updated.stdout, format!("Updated template: u (ID: {id})\n"));
    let line = ["template", "update", &id, "--active", "false", "--set", "runtime.isolation=thread"];
    let detail = document(&daemon, &[&line[..], &["--set", r#"resolver.extensions=[".js"]"#]].concat());
    assert_eq!((&detail["template"]["name"], &detail["template"]["is_active"]), (&json!("u"), &json!(false)));
    assert_eq!(detail["settings"]["limits"]["cpu_ms"], 1000);
    assert_eq!(detail["settings"]["limits"]["wall_ms"], 30_000);
    assert_eq!(detail["settings"]["runtime"]["isolation"], "thread");
    assert_eq!(detail["settings"]["resolver"]["extensions"], json!([".js"]));
    daemon.cli(&["template", "update", &id, "--active", "true"]).expect(0);
    assert_eq!(daemon.get(&format!("/templates/{id}")).ok(200)["template"]["is_active"], true);
}

#[test]
fn refusals_say_what_to_do() {
    let daemon = Daemon::start();
    let id = create_template(&daemon, "t");
    create_template(&daemon, "taken");
    daemon.cli(&["template", "add-capability", &id, "--kind", "fs", "--name", "a"]).expect(0);
    let cases: [(&[&str], &str, &str); 9] = [
        (&["template", "add-module", &id, "--name", "JSON"], "MODULE_NOT_ALLOWED", "list-available-modules"),
        (&["template", "add-module", &id, "--name", "path"], "MODULE_NOT_ALLOWED", "needs no grant"),
        (&["template", "add-library", &id, "--name", "jquery"], "LIBRARY_NOT_FOUND", "libs"),
        (&["template", "add-capability", &id, "--kind", "fs", "--name", "a"], "ALREADY_EXISTS", "remove-capability"),
        (
            &["template", "add-capability", &id, "--kind", "fs", "--name", "b", "--config", r#"{"raed": []}"#],
            "VALIDATION_ERROR",
            "config.raed",
        ),
        (
            &["template", "add-capability", &id, "--kind", "fs", "--name", "b", "--config", r#"{"read": [".."]}"#],
            "INVALID_PATH",
            "stay",
        ),
        (&["template", "update", &id, "--name", "taken"], "ALREADY_EXISTS", "template list"),
        (&["template", "update", &id, "--set", "limits.cpu_ms=0"], "VALIDATION_ERROR", "limits.cpu_ms"),
        (&["template", "list-modules", NOBODY], "TEMPLATE_NOT_FOUND", "template list"),
    ];
    all_cases(cases, |(arguments, code, words)| {
        let ran = daemon.cli(arguments).expect(1);
        holds(&arguments.join(" "), ran.stderr.contains(code) && ran.stderr.contains(words), &ran.stderr)?;
        let ran = daemon.cli(&[arguments, &["--json"]].concat()).expect(1);
        let envelope: Value = serde_json::from_str(&ran.stderr).map_err(|error| format!("{error}: {}", ran.stderr))?;
        same(&arguments.join(" "), envelope["error"]["code"].as_str(), Some(code))
    });
    let usage: [(&[&str], &str); 5] = [
        (&["template", "update", &id], "--set"),
        (&["template", "update", &id, "--set", "resolver.roots=lib"], r#"'resolver.roots=["lib"]'"#),
        (&["template", "add-capability", &id, "--name", "a", "--config", "[]"], "JSON object"),
        (&["template", "add-capability", &id, "--name", "a", "--kind", "disk"], "global"),
        (&["template", "add-module", &id], "--name"),
    ];
    all_cases(usage, |(arguments, words)| {
        let ran = daemon.cli(arguments).expect(2);
        holds(&arguments.join(" "), ran.stderr.contains(words), &ran.stderr)
    });
}

#[test]
fn help_shows_every_command() {
    let mut command = vm_system();
    command.args(["template", "--help"]);
    let help = run(command, std::time::Duration::from_secs(30)).expect(0).stdout;
    let names = [
        "update",
        "add-capability",
        "remove-capability",
        "list-capabilities",
        "add-module",
        "remove-module",
        "list-modules",
        "add-library",
        "remove-library",
        "list-libraries",
        "list-available-modules",
        "list-available-libraries",
    ];
    let missing: Vec<&&str> = names.iter().filter(|name| !help.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?} in {help}");
}
