//! Keeps an agent's memory in a file, so that a restart forgets nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::agent::{Action, Agent, BadSnapshot, Config};

/// A memory that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read or written.
    #[error("{}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is not the memory of a device; remove it to start afresh", path.display())]
    Bad {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: BadSnapshot,
    },
}

/// An agent as the file remembers it, or a new one when there is no file. The actions are those of
/// [`Agent::restore`].
pub fn load(path: &Path, config: Config, now_ms: i64) -> Result<(Agent, Vec<Action>), StoreError> {
    let bad = |source| StoreError::Bad { path: path.to_owned(), source };
    match std::fs::read(path) {
        Ok(bytes) => {
            let snapshot: Value = serde_json::from_slice(&bytes).map_err(|e| bad(e.into()))?;
            Agent::restore(config, snapshot, now_ms).map_err(bad)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Agent::new(config), Vec::new())),
        Err(source) => Err(StoreError::Io { path: path.to_owned(), source }),
    }
}

/// Replaces the file in one step: a crash leaves the old memory or the new one.
pub fn save(path: &Path, agent: &Agent) -> Result<(), StoreError> {
    let failed = |source| StoreError::Io { path: path.to_owned(), source };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let mut file = File::create(&part).map_err(failed)?;
    file.write_all(agent.snapshot().to_string().as_bytes()).map_err(failed)?;
    // A rename that reaches the disk before its content does would leave neither the old memory nor the new one.
    file.sync_all().map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)?;
    sync_folder(path).map_err(failed)
}

/// The new name must be on the disk as well: what is acknowledged after this is not sent again.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Where a folder is no file.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_survives_and_rubbish_is_refused() {
        let path = std::env::temp_dir().join(format!("device-store-{}.json", std::process::id()));
        let config = Config::new("pump-7");
        let (mut agent, _) = load(&path, config.clone(), 0).unwrap();
        agent.on_request(br#"{"executionId":"e1","command":"reboot","expiresAt":10}"#, 0);
        save(&path, &agent).unwrap();
        let (_, actions) = load(&path, config.clone(), 0).unwrap();
        assert_eq!(actions.len(), 1, "what ran is answered");
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(load(&path, config, 0), Err(StoreError::Bad { .. })));
        std::fs::remove_file(&path).unwrap();
    }
}
