//! Every simulated thing takes two open files of this process: its own end of the connection, and the broker's.

/// Files that everything else needs.
const OTHERS: u64 = 256;

/// Raises the limit on open files as far as is needed and allowed. `Err` says how many things there is room for.
#[cfg(unix)]
pub(super) fn make_room(things: u32) -> Result<(), u64> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let needed = u64::from(things) * 2 + OTHERS;
    let mut limit = getrlimit(Resource::Nofile);
    // No limit is enough for anything.
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if enough(limit.current) {
        return Ok(());
    }
    let room = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    limit.current = Some(room);
    if setrlimit(Resource::Nofile, limit).is_ok() && enough(Some(room)) {
        return Ok(());
    }
    Err(getrlimit(Resource::Nofile).current.unwrap_or(needed).saturating_sub(OTHERS) / 2)
}

/// Where there is no such limit.
#[cfg(not(unix))]
pub(super) fn make_room(_things: u32) -> Result<(), u64> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn there_is_room_for_one_and_what_there_is_no_room_for_is_told() {
        assert_eq!(super::make_room(1), Ok(()));
        if rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum.is_some() {
            assert!(super::make_room(u32::MAX).is_err());
        }
    }
}
