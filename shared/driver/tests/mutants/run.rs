//! Runs the checks of the model with a mutant switched on.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use super::mutated_crate::MUTANT_NUMBER;

/// The names of all checks, as the test binary lists them.
pub fn checks(test: &Path) -> Vec<String> {
    let listed = Command::new(test).args(["--list", "--format=terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let checks: Vec<String> =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
    assert!(!checks.is_empty(), "the model has no checks");
    checks
}

/// Whether a check passes with this mutant; 0 is the original code.
pub fn passes(test: &Path, check: &str, mutant: usize) -> bool {
    let mut run = Command::new(test);
    run.args([check, "--exact", "--format=pretty"]).env(MUTANT_NUMBER, mutant.to_string()).env("RUST_BACKTRACE", "0");
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let failed = lines.map_while(Result::ok).any(|line| line.starts_with("test ") && line.ends_with("FAILED"));
    if failed {
        let _ = run.kill();
    }
    run.wait().unwrap().success() && !failed
}
