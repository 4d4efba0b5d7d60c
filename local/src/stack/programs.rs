//! The functions' binaries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use super::{Programs, StackError};
use crate::template::Function;

impl Programs {
    /// Binary name to path.
    pub(super) async fn find(
        &self,
        workspace: &Path,
        functions: &[Function],
    ) -> Result<BTreeMap<String, PathBuf>, StackError> {
        match self {
            Self::Given(programs) => Ok(programs.clone()),
            Self::Folder(folder) => Ok(functions.iter().filter_map(|function| packaged(folder, function)).collect()),
            Self::Build => build(workspace).await,
        }
    }
}

/// A function's binary where `sam build` leaves it.
fn packaged(folder: &Path, function: &Function) -> Option<(String, PathBuf)> {
    let program = folder.join(&function.logical_id).join("bootstrap");
    program.is_file().then(|| (function.binary.clone(), program))
}

/// Lets cargo build them, which says itself how it goes, and where the binaries are.
async fn build(workspace: &Path) -> Result<BTreeMap<String, PathBuf>, StackError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--package", "functions", "--bins", "--message-format=json-render-diagnostics"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.arg("--manifest-path").arg(workspace.join("Cargo.toml"));
    let failed = |why: String| StackError::Build(format!("{}: {why}", cargo.to_string_lossy()));
    let cargo = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let done = cargo.map_err(|e| failed(e.to_string()))?.wait_with_output().await.map_err(|e| failed(e.to_string()))?;
    if !done.status.success() {
        return Err(failed(format!("{} (its messages are above)", done.status)));
    }
    Ok(String::from_utf8_lossy(&done.stdout).lines().filter_map(executable).collect())
}

/// The binary that a line of cargo's output tells of.
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
