//! Builds a copy of the crates with all mutants in it, once: an environment variable switches one of them on.
//!
//! Each function with a mutant chooses between its original body and its mutated bodies.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::table::Mutant;

/// The variable with the number of the mutant in the table, counted from 1.
pub const MUTANT_NUMBER: &str = "MUTANT_NUMBER";

/// The crates that are copied: the model's, and those that it depends on. All have the same folder.
const PACKAGES: [&str; 3] = ["calls", "domain", "driver"];

/// Appended to each copied `lib.rs`.
const SWITCH: &str = r#"
/// The number of the mutant that is switched on; 0 for none.
#[allow(dead_code)]
fn mutant_number() -> usize {
    static NUMBER: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| {
        #[allow(clippy::disallowed_methods)]
        std::env::var("MUTANT_NUMBER").ok().and_then(|number| number.parse().ok()).unwrap_or(0)
    });
    *NUMBER
}
"#;

/// The folder of a crate.
pub fn folder(package: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(package)
}

/// Builds the suite `model` of a copy with these mutants, and returns its binary. A mutant that does not compile is an
/// error.
pub fn build(mutants: &[Mutant]) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // The dependencies are built in this target folder already.
    let target = test.ancestors().nth(3).unwrap();
    let root = target.join("mutants");
    copy_workspace(&root);
    let mut files: Vec<(&str, &str)> = mutants.iter().map(Mutant::place).collect();
    files.sort_unstable();
    files.dedup();
    for (package, file) in files {
        let path = root.join("shared").join(package).join("src").join(file);
        let source = fs::read_to_string(&path).unwrap();
        fs::write(path, with_choices(&source, (package, file), mutants)).unwrap();
    }
    for package in PACKAGES {
        let lib = root.join("shared").join(package).join("src/lib.rs");
        fs::write(&lib, fs::read_to_string(&lib).unwrap() + SWITCH).unwrap();
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&root).env("CARGO_TARGET_DIR", target);
    cargo.args(["test", "--offline", "--package", "driver", "--test", "model", "--no-run", "--message-format=json"]);
    let built = cargo.output().unwrap();
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let messages: Vec<serde_json::Value> =
        messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let errors = || messages.iter().filter(|message| message["message"]["level"] == "error");
    let errors = || errors().filter_map(|message| message["message"]["rendered"].as_str()).collect::<String>();
    let stderr = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "the mutated crate does not compile:\n{}{stderr}", errors());
    let tests: Vec<_> = messages.iter().filter_map(|message| message["executable"].as_str()).collect();
    let [test] = tests.as_slice() else { panic!("cargo built not exactly one test: {tests:?}") };
    PathBuf::from(test)
}

/// The source of a file, in which each function with mutants chooses its body.
fn with_choices(source: &str, place: (&str, &str), mutants: &[Mutant]) -> String {
    let mut functions: Vec<(Function, Vec<(usize, &Mutant)>)> = Vec::new();
    for (number, mutant) in (1..).zip(mutants).filter(|(_, mutant)| mutant.place() == place) {
        let function = Function::around(source, mutant);
        match functions.iter_mut().find(|(other, _)| *other == function) {
            Some((_, here)) => here.push((number, mutant)),
            None => functions.push((function, vec![(number, mutant)])),
        }
    }
    // From the last function to the first, so that the offsets of earlier functions stay valid.
    functions.sort_by_key(|(function, _)| std::cmp::Reverse(function.start));
    let mut text = source.to_owned();
    for (Function { start, body, end }, mutants) in functions {
        let original = &source[body..end];
        let arms = mutants.iter().map(|(number, mutant)| {
            let mutated = original.replacen(&mutant.original, &mutant.mutated, 1);
            format!("{number} => {{{mutated}}}\n")
        });
        let choice = format!("match crate::mutant_number() {{ {} _ => {{{original}}} }}\n", arms.collect::<String>());
        text.replace_range(body..end, &choice);
        // A body that is chosen at run time can't be const.
        if let Some(at) = source[start..body].find("const fn ") {
            text.replace_range(start + at..start + at + "const ".len(), "");
        }
    }
    text
}

/// The offsets of a function in a source: its first line, and its body without the braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Function {
    start: usize,
    body: usize,
    end: usize,
}

impl Function {
    /// The function that contains a mutant. Sources are formatted: a function ends with a brace that is indented as its
    /// first line.
    fn around(source: &str, mutant: &Mutant) -> Self {
        let Mutant { description, original, .. } = mutant;
        let place = source.find(original).unwrap();
        let is_function = |line: &str| {
            let words: Vec<_> = line.split_whitespace().take_while(|word| *word != "fn").collect();
            words.len() < line.split_whitespace().count()
                && words.iter().all(|word| word.starts_with("pub") || ["async", "const"].contains(word))
        };
        let lines = source.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some((*at - line.len(), line))
        });
        let before = lines.take_while(|(at, _)| *at <= place).filter(|(_, line)| is_function(line));
        let (start, line) = before.last().unwrap_or_else(|| panic!("{description}: it is in no function"));
        let depth = line.len() - line.trim_start().len();
        let body = start + source[start..].find("{\n").unwrap() + 1;
        let closing = format!("\n{}}}\n", " ".repeat(depth));
        let end = body + source[body..].find(&closing).unwrap() + 1;
        let within = (body..end).contains(&place) && place + original.len() <= end;
        assert!(within, "{description}: it is not in the body of one function");
        Self { start, body, end }
    }
}

fn copy_workspace(root: &Path) {
    let _ = fs::remove_dir_all(root);
    let driver = folder("driver");
    let workspace = driver.ancestors().nth(2).unwrap();
    for package in PACKAGES {
        copy(&folder(package), &root.join("shared").join(package));
    }
    fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
    let only_these = |line: &str| match line {
        _ if line.starts_with("members") => "members = [\"shared/*\"]\n".to_owned(),
        // Another version, so that cargo does not mix up the copy and the original in the target folder.
        _ if line.starts_with("version") => "version = \"0.0.0\"\n".to_owned(),
        _ => format!("{line}\n"),
    };
    fs::write(root.join("Cargo.toml"), manifest.lines().map(only_these).collect::<String>()).unwrap();
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
