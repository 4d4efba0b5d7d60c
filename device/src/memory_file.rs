//! Keeps an agent's snapshot in a file, so that a restart of the device forgets nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::agent::Agent;
use crate::agent::action::Action;
use crate::agent::config::Config;
use crate::agent::snapshot::BadSnapshot;

/// The memory file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryFileError {
    /// The file cannot be read or written.
    #[error("cannot read or write the memory file {}", path.display())]
    Io {
        /// The memory file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file does not hold a snapshot.
    #[error("{} is not the memory file of a device: remove it to start without memory", path.display())]
    Bad {
        /// The memory file.
        path: PathBuf,
        /// The first error in its content.
        source: BadSnapshot,
    },
}

/// Restores an agent from its memory file, with the actions that [`Agent::restore`] returns. Without a file, the agent
/// is new and there are no actions. `now_ms` is in milliseconds since 1970-01-01 UTC.
///
/// # Errors
/// [`MemoryFileError`] when the file exists and cannot be read, or does not hold a snapshot.
pub fn load(path: &Path, config: Config, now_ms: i64) -> Result<(Agent, Vec<Action>), MemoryFileError> {
    let bad = |source| MemoryFileError::Bad { path: path.to_owned(), source };
    match std::fs::read(path) {
        Ok(bytes) => {
            let snapshot: Value = serde_json::from_slice(&bytes).map_err(|e| bad(e.into()))?;
            Agent::restore(config, snapshot, now_ms).map_err(bad)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Agent::new(config), Vec::new())),
        Err(source) => Err(MemoryFileError::Io { path: path.to_owned(), source }),
    }
}

/// Replaces the file atomically: after a crash it holds the old snapshot or the new one.
///
/// # Errors
/// [`MemoryFileError::Io`] when the file system refuses. The old snapshot stays.
pub fn save(path: &Path, agent: &Agent) -> Result<(), MemoryFileError> {
    let failed = |source| MemoryFileError::Io { path: path.to_owned(), source };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let mut file = File::create(&part).map_err(failed)?;
    file.write_all(agent.snapshot().to_string().as_bytes()).map_err(failed)?;
    // The content must reach the disk before the rename does: otherwise a crash could leave an empty file.
    file.sync_all().map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)?;
    sync_folder(path).map_err(failed)
}

/// The rename must reach the disk too: the broker does not send a message again that the device acknowledges after
/// this.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Does nothing: this system cannot open a folder as a file.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_snapshot_is_loaded_and_other_content_is_an_error() {
        let path = std::env::temp_dir().join(format!("device-memory-file-{}.json", std::process::id()));
        let config = Config::new("pump-7");
        let (mut agent, _) = load(&path, config.clone(), 0).unwrap();
        agent.on_request(br#"{"executionId":"e1","command":"reboot","expiresAt":10}"#, 0);
        save(&path, &agent).unwrap();
        let (_, actions) = load(&path, config.clone(), 0).unwrap();
        assert_eq!(actions.len(), 1, "the execution that was running is reported");
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(load(&path, config, 0), Err(MemoryFileError::Bad { .. })));
        std::fs::remove_file(&path).unwrap();
    }
}
