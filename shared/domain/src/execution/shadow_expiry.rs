//! How much earlier a command in a shadow expires, so that the shadow is cleaned up when its ttl ends.
//!
//! A device that reads its shadow when it comes online can't always tell how old a command there is. So a command in a
//! shadow expires five seconds early: its wake comes within two seconds, and the clean-up is a read and a write.

use crate::messages::shadow::route::ShadowRoute;
use crate::timestamp::Timestamp;

/// How much earlier a command in a shadow expires, in seconds.
pub const SHADOW_CUT_SECONDS: u32 = 5;

/// The time until which an execution in a shadow may start, for a ttl that ends at `start_by`. At least a second is left
/// of it.
pub(crate) fn in_shadow_until(start_by: Timestamp, now: Timestamp) -> Timestamp {
    let left = now.seconds_until(start_by);
    start_by.minus_seconds(left - seconds_in_shadow(left))
}

/// How many seconds of a ttl a request in a shadow has.
pub fn seconds_in_shadow(ttl_seconds: u32) -> u32 {
    ttl_seconds.saturating_sub(SHADOW_CUT_SECONDS).max(ttl_seconds.min(1))
}

impl ShadowRoute {
    /// The shortest ttl of a command on this route, in seconds. The dialect `atlas` does not tell the device when a
    /// command expires, so the shadow must be cleaned up before the ttl ends, and the device needs some time before.
    pub fn min_ttl_seconds(&self) -> u32 {
        match self {
            Self::Atlas => 2 * SHADOW_CUT_SECONDS,
            Self::Map(_) | Self::State(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_is_cut_by_seconds_and_a_second_of_it_is_left() {
        let now = Timestamp::from_millis(1_700_000_000_123);
        for (ttl, left) in [(300, 295), (130, 125), (30, 25), (7, 2), (6, 1), (5, 1), (2, 1), (1, 1)] {
            assert_eq!(in_shadow_until(now.plus_seconds(ttl), now), now.plus_seconds(left), "{ttl}");
        }
    }
}
