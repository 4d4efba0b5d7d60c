//! The model check run with a mistake in the code: whether it is noticed, and by which check.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use super::nursery::MISTAKE;

/// All checks, as the built test lists them.
pub fn checks(test: &Path) -> Vec<String> {
    let listed = Command::new(test).args(["--list", "--format=terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let checks: Vec<String> =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
    assert!(!checks.is_empty(), "there are no checks");
    checks
}

/// Whether this check finds nothing, with this mistake.
pub fn passes(test: &Path, check: &str, mistake: usize) -> bool {
    let mut run = Command::new(test);
    run.args([check, "--exact", "--format=pretty"]).env(MISTAKE, mistake.to_string()).env("RUST_BACKTRACE", "0");
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let failed = lines.map_while(Result::ok).any(|line| line.starts_with("test ") && line.ends_with("FAILED"));
    if failed {
        let _ = run.kill();
    }
    run.wait().unwrap().success() && !failed
}
