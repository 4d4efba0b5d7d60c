//! What the documents say of the repository, and in which words.

use std::fs;

use super::source::{files, read, root};

/// Lines of prose are at most this long, in characters.
const MAX_COLUMNS: usize = 120;

/// Words that name no subject, or belong to a private dialect. A comment says which writer, device, caller or function it means.
const BANNED_WORDS: [&str; 12] = [
    "whoever",
    "whomever",
    "somebody",
    "someone",
    "nobody",
    "anybody",
    "a few times",
    "so many",
    "so often",
    "called off",
    "old news",
    "sees to",
];

fn documents() -> Vec<(String, String)> {
    let mut found = vec!["ARCHITECTURE.md".to_owned(), "CHANGELOG.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for folder in ["docs", "docs/decisions"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found.into_iter().map(|path| (path.clone(), read(path))).collect()
}

#[test]
fn lines_of_prose_are_at_most_120_columns() {
    let mut long = Vec::new();
    for (path, text) in documents() {
        for (number, line) in (1..).zip(text.lines()) {
            // A table's row can't be wrapped.
            if line.chars().count() > MAX_COLUMNS && (path == "ARCHITECTURE.md" || !line.starts_with('|')) {
                long.push(format!("{path}:{number}"));
            }
        }
    }
    assert!(long.is_empty(), "longer than {MAX_COLUMNS} columns:\n{}", long.join("\n"));
}

#[test]
fn comments_and_documents_name_their_subjects() {
    let mut found = Vec::new();
    let mut look = |path: &str, number: usize, line: &str| {
        let line = line.to_lowercase();
        found.extend(
            BANNED_WORDS.iter().filter(|word| line.contains(**word)).map(|word| format!("{path}:{number}: {word}")),
        );
    };
    for (path, text) in documents() {
        (1..).zip(text.lines()).for_each(|(number, line)| look(&path, number, line));
    }
    for folder in ["benches", "demo", "device", "functions", "local", "shared", "tests"] {
        for (path, text) in files(folder) {
            let comments = (1..).zip(text.lines()).filter(|(_, line)| line.trim_start().starts_with("//"));
            comments.for_each(|(number, line)| look(&path.display().to_string(), number, line));
        }
    }
    assert!(found.is_empty(), "{} comments name no subject:\n{}", found.len(), found.join("\n"));
}

#[test]
fn one_version_of_rust_is_named_everywhere() {
    let cargo = read("Cargo.toml");
    let version = cargo.lines().find_map(|line| line.strip_prefix("rust-version = \"")).expect("rust-version");
    let version = version.trim_end_matches('"');
    for document in ["README.md", "CONTRIBUTING.md", "rust-toolchain.toml"] {
        assert!(read(document).contains(&format!("Rust {version}")), "{document} does not name Rust {version}");
    }
}

#[test]
fn every_decision_is_listed() {
    let index = read("docs/decisions/README.md");
    for (path, _) in documents() {
        if let Some(name) = path.strip_prefix("docs/decisions/").filter(|name| *name != "README.md") {
            assert!(index.contains(&format!("({name})")), "docs/decisions/README.md does not list {name}");
        }
    }
}

/// Features are unified over the packages that a command selects, so a command for one package compiles dependencies
/// again that the demo and the tests have built (docs/decisions/024-one-package-selection.md).
#[test]
fn commands_for_users_select_the_whole_workspace() {
    let mut texts: Vec<(String, String)> = documents();
    // The changelog quotes commands as they were.
    texts.retain(|(path, _)| path != "CHANGELOG.md");
    texts.extend(["README.md", "openapi.yaml"].map(|path| (path.to_owned(), read(path))));
    for folder in ["benches", "demo", "device", "functions", "local", "shared", "tests"] {
        texts.extend(files(folder).into_iter().map(|(path, text)| (path.display().to_string(), text)));
    }
    let mut found = Vec::new();
    for (path, text) in texts {
        for (number, line) in (1..).zip(text.lines()) {
            // The words of each command: up to its own arguments, or the end of the quotation.
            let commands = line.split("cargo ").skip(1).map(|rest| rest.split(" -- ").next().unwrap_or_default());
            let mut words = commands.flat_map(|command| command.split('`').next().unwrap_or_default().split(' '));
            if words.any(|word| word == "-p" || word == "--package") {
                found.push(format!("{path}:{number}"));
            }
        }
    }
    assert!(found.is_empty(), "commands for one package:\n{}", found.join("\n"));
}
