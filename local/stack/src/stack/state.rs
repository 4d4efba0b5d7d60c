//! State files in a directory: one JSON file for each service.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value;

use super::StackError;

/// A directory with the state of a stack.
pub(super) struct StateDir {
    path: PathBuf,
    /// The content of each file: unchanged files are not written again.
    written: Mutex<BTreeMap<&'static str, Vec<u8>>>,
}

impl StateDir {
    pub(super) fn open(path: PathBuf) -> Result<Self, StackError> {
        fs::create_dir_all(&path).map_err(|error| StackError::State { path: path.clone(), why: error.to_string() })?;
        Ok(Self { path, written: Mutex::default() })
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    /// Reads the state of a service; `None` if none was saved.
    pub(super) fn load(&self, name: &'static str) -> Result<Option<Value>, StackError> {
        let path = self.file(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StackError::State { path, why: error.to_string() }),
        };
        match serde_json::from_slice(&text) {
            Ok(value @ Value::Object(_)) => Ok(Some(value)),
            Ok(_) => Err(StackError::State { path, why: "not a JSON object".into() }),
            Err(error) => Err(StackError::State { path, why: error.to_string() }),
        }
    }

    /// Writes the state of a service if it has changed. A crash leaves the old file or the new one.
    pub(super) fn save(&self, name: &'static str, state: &Value) -> io::Result<()> {
        let text = serde_json::to_vec(state)?;
        let mut written = self.written.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if written.get(name) == Some(&text) {
            return Ok(());
        }
        let temporary = self.path.join(format!("{name}.json.new"));
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&temporary, self.file(name))?;
        written.insert(name, text);
        Ok(())
    }

    /// The error for a file that is JSON, but not the state of its service.
    pub(super) fn unreadable(&self, name: &'static str, why: &serde_json::Error) -> StackError {
        StackError::State { path: self.file(name), why: why.to_string() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn saved_state_is_loaded_and_broken_files_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::open(folder.path().join("deep/state")).expect("opens");
        assert!(state.load("shadows").expect("reads").is_none());
        state.save("shadows", &json!({"a": 1})).expect("saves");
        state.save("shadows", &json!({"a": 2})).expect("saves");
        assert_eq!(state.load("shadows").expect("reads"), Some(json!({"a": 2})));
        for broken in ["", "{\"a\":", "[]", "\u{0}"] {
            fs::write(state.file("shadows"), broken).expect("writes");
            let error = state.load("shadows").expect_err("refused").to_string();
            assert!(error.contains("shadows.json"), "{error}");
        }
    }

    #[test]
    fn unchanged_state_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::open(folder.path().to_owned()).expect("opens");
        state.save("broker", &json!({"a": 1})).expect("saves");
        fs::remove_file(state.file("broker")).expect("removes");
        state.save("broker", &json!({"a": 1})).expect("nothing to do");
        assert!(!state.file("broker").exists());
        state.save("broker", &json!({"a": 2})).expect("saves");
        assert!(state.file("broker").exists());
    }
}
