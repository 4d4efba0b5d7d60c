//! The functions' binaries.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use local_template::Function;
use serde::Deserialize;
use tokio::process::Command;

use super::{Programs, StackError};

impl Programs {
    /// Binary name to path.
    pub(super) async fn find(
        &self,
        workspace: &Path,
        functions: &[Function],
    ) -> Result<BTreeMap<String, PathBuf>, StackError> {
        match self {
            Self::Given(programs) => Ok(programs.clone()),
            Self::Folder(folder) if !folder.is_dir() => Err(StackError::Functions(folder.clone())),
            Self::Folder(folder) => Ok(functions.iter().filter_map(|function| packaged(folder, function)).collect()),
            Self::Build => build(workspace, functions).await,
        }
    }
}

/// A function's binary where `sam build` leaves it.
fn packaged(folder: &Path, function: &Function) -> Option<(String, PathBuf)> {
    let program = folder.join(&function.logical_id).join("bootstrap");
    program.is_file().then(|| (function.binary.clone(), program))
}

/// Builds the binaries with cargo, which prints its own progress; its messages name the binaries' paths.
async fn build(workspace: &Path, functions: &[Function]) -> Result<BTreeMap<String, PathBuf>, StackError> {
    if functions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(arguments(workspace, functions, !cfg!(debug_assertions)));
    let failed = |why: String| StackError::Build(format!("{}: {why}", cargo.to_string_lossy()));
    let cargo = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let done = cargo.map_err(|e| failed(e.to_string()))?.wait_with_output().await.map_err(|e| failed(e.to_string()))?;
    if !done.status.success() {
        return Err(failed(format!("{} (its messages are above)", done.status)));
    }
    Ok(String::from_utf8_lossy(&done.stdout).lines().filter_map(executable).collect())
}

/// The arguments of `cargo build`. No package is selected: like `cargo run --bin <name>` in the workspace's root, this
/// takes every member into account, so that dependencies have the same features in both builds and none is compiled
/// twice.
fn arguments(workspace: &Path, functions: &[Function], release: bool) -> Vec<OsString> {
    let binaries: BTreeSet<&str> = functions.iter().map(|function| function.binary.as_str()).collect();
    let mut arguments: Vec<OsString> = vec!["build".into(), "--message-format=json-render-diagnostics".into()];
    arguments.extend(release.then(|| "--release".into()));
    arguments.extend(["--manifest-path".into(), workspace.join("Cargo.toml").into()]);
    arguments.extend(binaries.iter().flat_map(|binary| ["--bin".into(), OsString::from(binary)]));
    arguments
}

/// The name and path of the binary that a line of cargo's messages names; `None` for other messages.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let artifact: Artifact = serde_json::from_str(line).ok()?;
    artifact.target.kind.iter().any(|kind| kind == "bin").then_some(())?;
    Some((artifact.target.name, artifact.executable?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_selects_binaries_and_no_package() {
        let function = |binary: &str| Function {
            logical_id: String::new(),
            name: String::new(),
            arn: String::new(),
            binary: binary.to_owned(),
            memory_mb: 128,
            timeout_s: 3,
            environment: BTreeMap::new(),
            reserved_concurrency: None,
            retries: 2,
            event_age_s: 60,
            on_failure: None,
        };
        let found = arguments(Path::new("/w"), &[function("b"), function("a"), function("b")], true);
        let expected =
            "build --message-format=json-render-diagnostics --release --manifest-path /w/Cargo.toml --bin a --bin b";
        assert_eq!(found, expected.split(' ').map(OsString::from).collect::<Vec<_>>());
    }

    #[test]
    fn binaries_are_read_from_cargos_lines() {
        let bin = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"trim-shadow"},"executable":"/t/trim-shadow"}"#;
        assert_eq!(executable(bin), Some(("trim-shadow".into(), "/t/trim-shadow".into())));
        for other in [
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"domain"},"executable":null}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "not json",
            "",
        ] {
            assert_eq!(executable(other), None, "{other}");
        }
    }
}
