//! Topics against what they are about.

use super::*;

/// What a topic says.
fn page(name: &str) -> String {
    Topic::named(name).unwrap().markdown().unwrap()
}

#[test]
fn topics_of_the_original_are_there() {
    for name in [
        "getting-started",
        "architecture",
        "templates-and-sessions",
        "api-reference",
        "cli-command-reference",
        "examples",
        "contributing",
        "topics",
    ] {
        let page = page(name);
        assert!(page.starts_with("# ") && page.len() > 400, "{name}: {page}");
    }
    let list = page("topics");
    for topic in TOPICS {
        assert!(list.contains(topic.name) && commands::definition().find_subcommand(topic.name).is_none());
    }
}

#[test]
fn written_topics_fit_a_narrow_terminal_and_name_only_topics_that_there_are() {
    for topic in TOPICS.iter().filter(|topic| matches!(topic.text, Text::Written(_))) {
        let markdown = topic.markdown().unwrap();
        let page = render::render(&markdown, render::Look { width: 80, color: false });
        let long = page.lines().find(|line| line.chars().count() > 100);
        assert_eq!(long, None, "{}", topic.name);
        for (_, after) in
            markdown.match_indices("vm-system help ").map(|(at, found)| markdown.split_at(at + found.len()))
        {
            let name = after.split(|char: char| char != '-' && !char.is_alphanumeric()).next().unwrap();
            let known = name == "TOPIC" || Topic::named(name).is_some();
            assert!(known || commands::definition().find_subcommand(name).is_some(), "{}: {name}", topic.name);
        }
    }
}

#[test]
fn every_command_that_a_topic_shows_can_be_read() {
    for topic in TOPICS.iter().filter(|topic| matches!(topic.text, Text::Written(_))) {
        for code in topic.markdown().unwrap().split('`').skip(1).step_by(2) {
            let Some(line) = code.strip_prefix("vm-system ") else { continue };
            // The names of groups and commands come first; what follows is the reader's.
            let mut command = &commands::definition();
            for name in line.split(' ').take_while(|word| word.starts_with(|char: char| char.is_ascii_lowercase())) {
                let has_commands = command.get_subcommands().next().is_some();
                match command.find_subcommand(name) {
                    Some(inner) => command = inner,
                    None => assert!(!has_commands, "{}: {line}", topic.name),
                }
            }
        }
    }
}

#[test]
fn the_reference_of_commands_has_every_command_and_every_flag() {
    fn check(command: &clap::Command, page: &str) {
        let name = command.get_bin_name().unwrap_or(command.get_name());
        assert!(page.contains(&format!("# {name}\n")), "{name}");
        for flag in command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(clap::Arg::get_long) {
            assert!(flag == "help" || flag == "version" || page.contains(&format!("- `--{flag}")), "{name}: {flag}");
        }
        command.get_subcommands().filter(|inner| !inner.is_hide_set()).for_each(|inner| check(inner, page));
    }
    let page = page("cli-command-reference");
    check(&commands::definition(), &page);
    for said in [
        "- `--server-url <URL>`: Where the daemon is",
        "default `http://127.0.0.1:3210`; variable `VM_SYSTEM_URL`",
        "- `--name <NAME>`: The name, which no other template has (required)",
        "`--kind <KIND>`",
    ] {
        assert!(page.contains(said), "{said} is not in\n{page}");
    }
}

#[test]
fn the_reference_of_the_api_has_every_operation() {
    let document: serde_json::Value = serde_json::from_str(&crate::commands::serve::openapi_document()).unwrap();
    let page = page("api-reference");
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let heading = format!("### {} {path}\n\n{}", method.to_uppercase(), operation["summary"].as_str().unwrap());
            assert!(page.contains(&heading), "{heading}");
            count += 1;
        }
    }
    assert_eq!(page.matches("\n### ").count(), count);
    for said in ["409 `SESSION_BUSY`", "- `input` (body, required)", "- `limit` (query)", "- answers 201:"] {
        assert!(page.contains(said), "{said} is not in\n{page}");
    }
    let (common, _) = page.split_once("\n## ").unwrap();
    assert!(common.contains("400 `INVALID_REQUEST`") && !common.contains("SESSION_BUSY"), "{common}");
}

#[test]
fn texts_that_are_no_markdown_stay_themselves() {
    let text = "__ARGS__ as \"0\" *and* <b> [default: 1] `a_b` | x\\y";
    let page = render::render(&verbatim(text), render::Look { width: 200, color: false });
    assert_eq!(page, format!("{text}\n"));
}
