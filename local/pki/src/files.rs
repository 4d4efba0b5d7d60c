//! Key and certificate files that several processes may create at once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The permissions of a new file.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    /// Readable by the owner only.
    Secret,
    /// Readable by every user.
    Public,
}

/// Reads the file, or creates it with the text of `make`. If several processes create it at once, one of them succeeds,
/// and all return its text.
pub(super) fn read_or_create(path: &Path, mode: Mode, make: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map_err(|error| with_path(path, error)),
    }
    let temporary = write_beside(path, mode, &make()?)?;
    // A hard link, unlike a rename, fails if the name exists, and it makes the whole text visible at once.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary).map_err(|error| with_path(&temporary, error))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(with_path(path, error)),
        _ => fs::read_to_string(path).map_err(|error| with_path(path, error)),
    }
}

/// Creates or replaces the file at `path`.
pub(super) fn replace(path: &Path, mode: Mode, text: &str) -> io::Result<()> {
    let temporary = write_beside(path, mode, text)?;
    fs::rename(&temporary, path).map_err(|error| with_path(path, error))
}

fn write_beside(path: &Path, mode: Mode, text: &str) -> io::Result<PathBuf> {
    let temporary = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(match mode {
            Mode::Secret => 0o600,
            Mode::Public => 0o644,
        });
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(&temporary).map_err(|error| with_path(&temporary, error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| with_path(&temporary, error))?;
    Ok(temporary)
}

fn with_path(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
