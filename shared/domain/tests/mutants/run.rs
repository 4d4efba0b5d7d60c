//! A copy of the crate to make mistakes in, and the model check run there. What is built there has a folder of its own, which is
//! kept: for each mistake only this crate is built again.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::table::Mutant;

pub fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub struct Nursery {
    root: PathBuf,
    target: PathBuf,
}

/// All checks, the small ones first.
const CHECKS: [&str; 13] = [
    "a_lane_whose_handlers_die",
    "beats_that_come_twice",
    "one_execution_with_heartbeats",
    "someone_who_asks_again",
    "goes_through_the_shadow",
    "our_dialect",
    "two_reconcilers",
    "a_command_in_the_dialect_of_the_atlas",
    "a_lane_that_stops",
    "a_newer_command",
    "a_lane_that_goes_on",
    "one_execution_with_retries",
    "commands_in_the_dialect_of_the_atlas",
];

impl Nursery {
    pub fn new() -> Self {
        let test = std::env::current_exe().unwrap();
        let target = test.ancestors().nth(3).unwrap();
        let nursery = Self { root: target.join("mutants/code"), target: target.join("mutants/built") };
        let _ = fs::remove_dir_all(&nursery.root);
        let workspace = crate_folder().ancestors().nth(2).unwrap();
        copy(crate_folder(), &nursery.root.join("shared/domain"));
        fs::copy(workspace.join("Cargo.lock"), nursery.root.join("Cargo.lock")).unwrap();
        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
        let only: Vec<_> = manifest
            .lines()
            .map(|line| match line {
                _ if line.starts_with("members") => "members = [\"shared/domain\"]",
                // It is built more often than it is gone through to its end.
                "opt-level = 2" => "opt-level = 1",
                _ => line,
            })
            .collect();
        fs::write(nursery.root.join("Cargo.toml"), only.join("\n")).unwrap();
        nursery
    }

    /// Makes the mistake; the code as it was, for [`Self::heal`].
    pub fn grow(&self, mutant: &Mutant) -> String {
        let path = self.source(mutant);
        let source = fs::read_to_string(&path).unwrap();
        fs::write(path, source.replacen(&mutant.was, &mutant.is, 1)).unwrap();
        source
    }

    pub fn heal(&self, mutant: &Mutant, source: &str) {
        fs::write(self.source(mutant), source).unwrap();
    }

    fn source(&self, mutant: &Mutant) -> PathBuf {
        self.root.join("shared/domain/src").join(&mutant.file)
    }

    /// Whether the model check finds nothing. What can't be built is no mutant, but a mistake in the table.
    pub fn survives(&self) -> bool {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        cargo.args([
            "test",
            "--offline",
            "--package",
            "domain",
            "--test",
            "model",
            "--no-run",
            "--message-format=json",
        ]);
        let built = cargo.output().unwrap();
        assert!(built.status.success(), "it can't be built:\n{}", String::from_utf8_lossy(&built.stdout));
        // The test itself, since killing cargo would leave it running.
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let tests: Vec<String> =
            messages.filter_map(|message| message["executable"].as_str().map(str::to_owned)).collect();
        let [test] = tests.as_slice() else { panic!("there is more than one test, or none: {tests:?}") };
        // The quick ones first: most mistakes show there.
        CHECKS.iter().all(|check| passes(test, check))
    }
}

/// Whether this part of the check finds nothing; the first that does is enough.
fn passes(test: &str, name: &str) -> bool {
    let mut check = Command::new(test);
    check.args([name, "--format=pretty"]).env("RUST_BACKTRACE", "0").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut check = check.spawn().unwrap();
    let lines = BufReader::new(check.stdout.take().unwrap()).lines();
    let failed = lines.map_while(Result::ok).any(|line| line.starts_with("test ") && line.ends_with("FAILED"));
    if failed {
        let _ = check.kill();
    }
    let ended = check.wait().unwrap();
    !failed && ended.success()
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
