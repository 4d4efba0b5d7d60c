//! Raises the process's limit on open files: each MQTT connection is one, and many systems start with 256 or 1,024.

/// The limit that is requested first: Linux's default maximum for a process.
const LINUX_MAXIMUM: u64 = 1 << 20;
/// The limit that is requested next: macOS refuses more than this.
const MACOS_MAXIMUM: u64 = 10_240;
/// Open files that the process needs beside its things' connections.
const RESERVED: u64 = 256;

/// The process may not open enough files for the wanted number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{things} things need more open files than this process may have: start at most {room} things, or raise the \
     limit (ulimit -Hn)"
)]
pub struct TooFewFiles {
    /// The wanted number of things.
    pub things: u64,
    /// The number of things that the limit allows.
    pub room: u64,
}

/// Raises the soft limit on open files as far as the system allows, and returns it; `None` means unlimited. A limit
/// that cannot be raised stays as it is.
#[cfg(unix)]
pub fn raise_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let current = limit.current?;
    for candidate in [LINUX_MAXIMUM, MACOS_MAXIMUM] {
        let candidate = limit.maximum.map_or(candidate, |maximum| maximum.min(candidate));
        if candidate <= current {
            return Some(current);
        }
        if setrlimit(Resource::Nofile, Rlimit { current: Some(candidate), maximum: limit.maximum }).is_ok() {
            return Some(candidate);
        }
    }
    Some(current)
}

/// Returns `None`, unlimited: this system has no such limit.
#[cfg(not(unix))]
pub fn raise_limit() -> Option<u64> {
    None
}

/// Raises the limit, and checks that it suffices for `things` with `files_per_thing` open files each.
///
/// # Errors
/// [`TooFewFiles`] when the raised limit is too low. It holds the number of things that the limit allows.
pub fn ensure_capacity(things: u64, files_per_thing: u64) -> Result<(), TooFewFiles> {
    match raise_limit() {
        Some(limit) => check(things, files_per_thing, limit),
        None => Ok(()),
    }
}

fn check(things: u64, files_per_thing: u64, limit: u64) -> Result<(), TooFewFiles> {
    let room = limit.saturating_sub(RESERVED).checked_div(files_per_thing).unwrap_or(u64::MAX);
    if things <= room { Ok(()) } else { Err(TooFewFiles { things, room }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_things_are_an_error_that_names_the_room() {
        assert_eq!(check(384, 2, 1_024), Ok(()));
        assert_eq!(check(385, 2, 1_024), Err(TooFewFiles { things: 385, room: 384 }));
        assert_eq!(check(1, 1, 100), Err(TooFewFiles { things: 1, room: 0 }));
        assert_eq!(check(u64::MAX, 0, 100), Ok(()));
    }

    #[cfg(unix)]
    #[test]
    fn limit_is_raised_and_never_lowered() {
        use rustix::process::{Resource, getrlimit};
        let before = getrlimit(Resource::Nofile);
        let raised = raise_limit();
        let after = getrlimit(Resource::Nofile);
        assert_eq!((after.current, after.maximum), (raised, before.maximum));
        assert!(after.current.is_none_or(|after| before.current.is_some_and(|before| after >= before)));
        assert_eq!(raise_limit(), raised, "a second call changes nothing");
    }
}
