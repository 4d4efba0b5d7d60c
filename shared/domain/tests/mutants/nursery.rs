//! A copy of the crate that has all mistakes in it, each waiting for its number: it is built once for all of them.
//!
//! Each function that someone makes a mistake in becomes a choice between its body as it is and its body with that mistake. Which
//! mistake is made says the environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::table::Mutant;

/// The number of the mistake to make: that of the mutant in the table, counted from one.
pub const MISTAKE: &str = "MISTAKE";

const CHOICE: &str = r#"
/// Which mistake is made.
fn mistake() -> usize {
    static MISTAKE: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| {
        #[allow(clippy::disallowed_methods)]
        std::env::var("MISTAKE").ok().and_then(|number| number.parse().ok()).unwrap_or(0)
    });
    *MISTAKE
}
"#;

pub fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the model check of a crate with all these mistakes; where it is then. What can't be built is no mutant, but an error in
/// the table.
pub fn build(mutants: &[Mutant]) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // What the crate depends on is built there already.
    let target = test.ancestors().nth(3).unwrap();
    let root = target.join("mutants");
    copy_workspace(&root);
    let sources = root.join("shared/domain/src");
    let mut files: Vec<&str> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    for file in files {
        let path = sources.join(file);
        let source = fs::read_to_string(&path).unwrap();
        fs::write(path, with_choices(&source, file, mutants)).unwrap();
    }
    let lib = sources.join("lib.rs");
    fs::write(&lib, fs::read_to_string(&lib).unwrap() + CHOICE).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&root).env("CARGO_TARGET_DIR", target);
    cargo.args(["test", "--offline", "--package", "domain", "--test", "model", "--no-run", "--message-format=json"]);
    let built = cargo.output().unwrap();
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let messages: Vec<serde_json::Value> =
        messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let errors = || messages.iter().filter(|message| message["message"]["level"] == "error");
    let errors = || errors().filter_map(|message| message["message"]["rendered"].as_str()).collect::<String>();
    assert!(built.status.success(), "it can't be built:\n{}{}", errors(), String::from_utf8_lossy(&built.stderr));
    let tests: Vec<_> = messages.iter().filter_map(|message| message["executable"].as_str()).collect();
    let [test] = tests.as_slice() else { panic!("there is more than one test, or none: {tests:?}") };
    PathBuf::from(test)
}

/// The source with, in every function that one of these is in, the choice.
fn with_choices(source: &str, file: &str, mutants: &[Mutant]) -> String {
    let mut functions: Vec<(Function, Vec<(usize, &Mutant)>)> = Vec::new();
    for (number, mutant) in (1..).zip(mutants).filter(|(_, mutant)| mutant.file == file) {
        let function = Function::around(source, mutant);
        match functions.iter_mut().find(|(other, _)| *other == function) {
            Some((_, here)) => here.push((number, mutant)),
            None => functions.push((function, vec![(number, mutant)])),
        }
    }
    // From the end, so that what is before stays where it is.
    functions.sort_by_key(|(function, _)| std::cmp::Reverse(function.begins));
    let mut text = source.to_owned();
    for (Function { begins, body, ends }, mutants) in functions {
        let was = &source[body..ends];
        let arms = mutants.iter().map(|(number, mutant)| {
            let is = was.replacen(&mutant.was, &mutant.is, 1);
            format!("{number} => {{{is}}}\n")
        });
        let choice = format!("match crate::mistake() {{ {} _ => {{{was}}} }}\n", arms.collect::<String>());
        text.replace_range(body..ends, &choice);
        // What is chosen while it runs is no constant.
        let constant = source[begins..body].find("const fn ");
        constant.map(|at| text.replace_range(begins + at..begins + at + "const ".len(), ""));
    }
    text
}

/// Where a function is in a source: its first line, and its body without the braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Function {
    begins: usize,
    body: usize,
    ends: usize,
}

impl Function {
    /// The one that this mistake is in. Sources are formatted: a function ends with a brace that is as deep as its first line.
    fn around(source: &str, mutant: &Mutant) -> Self {
        let place = source.find(&mutant.was).unwrap();
        let is_function = |line: &str| {
            let words: Vec<_> = line.split_whitespace().take_while(|word| *word != "fn").collect();
            words.len() < line.split_whitespace().count()
                && words.iter().all(|word| word.starts_with("pub") || *word == "const")
        };
        let lines = source.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some((*at - line.len(), line))
        });
        let before = lines.take_while(|(at, _)| *at <= place).filter(|(_, line)| is_function(line));
        let (begins, line) = before.last().unwrap_or_else(|| panic!("{} is in no function", mutant.breaks));
        let depth = line.len() - line.trim_start().len();
        let body = begins + source[begins..].find("{\n").unwrap() + 1;
        let end = format!("\n{}}}\n", " ".repeat(depth));
        let ends = body + source[body..].find(&end).unwrap() + 1;
        let within = (body..ends).contains(&place) && place + mutant.was.len() <= ends;
        assert!(within, "{} is not in the body of one function", mutant.breaks);
        Self { begins, body, ends }
    }
}

fn copy_workspace(root: &Path) {
    let _ = fs::remove_dir_all(root);
    let workspace = crate_folder().ancestors().nth(2).unwrap();
    copy(crate_folder(), &root.join("shared/domain"));
    fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
    let only = |line: &str| match line {
        _ if line.starts_with("members") => "members = [\"shared/domain\"]\n".to_owned(),
        // Another version, so that nobody takes what is built of it for the crate itself.
        _ if line.starts_with("version") => "version = \"0.0.0\"\n".to_owned(),
        _ => format!("{line}\n"),
    };
    fs::write(root.join("Cargo.toml"), manifest.lines().map(only).collect::<String>()).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
