//! Raises the process's limit on open files: each connection of a device is one.

/// The limit that is requested first: Linux's default maximum for a process.
const LINUX_MAXIMUM: u64 = 1 << 20;
/// The limit that is requested next: macOS refuses more than this.
const MACOS_MAXIMUM: u64 = 10_240;

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
