//! Every connection is an open file, and a process starts with few: 1,024 on most systems, 256 on some.

/// More than anybody simulates, and no more than what Linux allows by itself.
const MOST: u64 = 1 << 20;
/// What macOS grants a process that asks for more than it has.
const MODEST: u64 = 10_240;
/// Files that everything else needs.
const OTHERS: u64 = 256;

/// Even the most open files that this process may have are too few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{things} things take more open files than this process may have: there is room for {room} (see ulimit -Hn)")]
pub struct TooFewFiles {
    /// So many were to have room.
    pub things: u64,
    /// So many have.
    pub room: u64,
}

/// Raises the limit on open files as far as this process may. `None`: there is no limit; else how many there may be.
#[cfg(unix)]
pub fn raise_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let current = limit.current?;
    for wanted in [MOST, MODEST] {
        let wanted = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        if wanted <= current {
            return Some(current);
        }
        if setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }).is_ok() {
            return Some(wanted);
        }
    }
    Some(current)
}

/// Where there is no such limit.
#[cfg(not(unix))]
pub fn raise_limit() -> Option<u64> {
    None
}

/// Raises the limit, and makes sure that it is enough for things that take `each` open files.
///
/// # Errors
/// For how many it is enough.
pub fn make_room(things: u64, each: u64) -> Result<(), TooFewFiles> {
    match raise_limit() {
        Some(files) => check(things, each, files),
        None => Ok(()),
    }
}

fn check(things: u64, each: u64, files: u64) -> Result<(), TooFewFiles> {
    let room = files.saturating_sub(OTHERS).checked_div(each).unwrap_or(u64::MAX);
    if things <= room { Ok(()) } else { Err(TooFewFiles { things, room }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_told() {
        assert_eq!(check(384, 2, 1_024), Ok(()));
        assert_eq!(check(385, 2, 1_024), Err(TooFewFiles { things: 385, room: 384 }));
        assert_eq!(check(1, 1, 100), Err(TooFewFiles { things: 1, room: 0 }));
        assert_eq!(check(u64::MAX, 0, 100), Ok(()));
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_is_raised_as_far_as_it_goes_and_never_lowered() {
        use rustix::process::{Resource, getrlimit};
        let before = getrlimit(Resource::Nofile);
        let raised = raise_limit();
        let after = getrlimit(Resource::Nofile);
        assert_eq!((after.current, after.maximum), (raised, before.maximum));
        assert!(after.current.is_none_or(|after| before.current.is_some_and(|before| after >= before)));
        assert_eq!(raise_limit(), raised, "a second time changes nothing");
    }
}
