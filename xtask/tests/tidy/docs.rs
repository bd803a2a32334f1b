//! What the documents say, as far as a test can tell whether it is so.

use std::collections::BTreeSet;

use crate::hold;
use crate::tree::{files, root, text_of};

/// The targets of a document's links.
fn links(markdown: &str) -> impl Iterator<Item = &str> {
    markdown.split("](").skip(1).filter_map(|after| after.split(')').next())
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.path.ends_with(".md")) {
        let folder = root().join(&file.path);
        let folder = folder.parent().unwrap_or(root());
        for link in links(&file.text).filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let path = link.split('#').next().unwrap_or_default();
            if !folder.join(path).exists() {
                found.push(format!("{}: {link}", file.path));
            }
        }
    }
    hold(found, "The file is not there: mend the link.");
}

#[test]
fn tests_that_the_architecture_names_exist() {
    let mut tests = BTreeSet::new();
    for file in files().iter().filter(|file| file.is_rust()) {
        tests.extend(file.text.split("fn ").skip(1).filter_map(|after| after.split(['(', '<']).next()));
    }
    // Names of tests are sentences: three words or more.
    let named = text_of("ARCHITECTURE.md").split('`').skip(1).step_by(2).filter(|word| {
        word.matches('_').count() >= 2
            && word.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
    });
    let named: Vec<_> = named.collect();
    assert!(named.len() > 10, "ARCHITECTURE.md names the test of each invariant");
    let missing = named.into_iter().filter(|name| !tests.contains(name));
    hold(
        missing.map(str::to_owned),
        "An invariant of ARCHITECTURE.md names a test that is not there: name the one that is.",
    );
}

#[test]
fn paths_that_the_documents_name_exist() {
    let mut found = Vec::new();
    let topics = files().iter().map(|file| file.path.as_str());
    let topics = topics.filter(|path| path.starts_with("vmsys-cli/src/help/") && path.ends_with(".md"));
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].into_iter().chain(topics) {
        let words = text_of(document).split('`').skip(1).step_by(2);
        let starts = ["vmsys-core/", "vmsys-server/", "vmsys-cli/", "xtask/", "examples/", ".ci/"];
        for path in
            words.filter(|word| starts.iter().any(|start| word.starts_with(start)) && !word.contains(['*', ' ', '{']))
        {
            if !root().join(path).exists() {
                found.push(format!("{document}: {path}"));
            }
        }
    }
    hold(found, "The file has moved: say where it is.");
}

#[test]
fn the_example_of_the_readme_is_the_one_that_runs() {
    let example = text_of("examples/embed.rs");
    let program = &example[example.find("use ").expect("the example uses the library")..];
    let block = text_of("README.md").split("```rust\n").nth(1).and_then(|after| after.split("```").next());
    assert_eq!(block, Some(program), "copy examples/embed.rs, from its first `use`, into the README");
}
