//! How much earlier a command in a shadow expires, so that the shadow is cleaned up when its ttl ends.
//!
//! A device that reads its shadow when it comes online can't always tell how old a command there is. So a command in
//! a shadow expires one reconciler interval and five seconds early, though never before half its ttl.

use crate::messages::shadow::route::ShadowRoute;
use crate::timestamp::Timestamp;

/// The time until which an execution in a shadow may start, for a ttl that ends at `start_by`. `tick_seconds` is the
/// interval of the reconciler.
pub(crate) fn in_shadow_until(start_by: Timestamp, now: Timestamp, tick_seconds: u32) -> Timestamp {
    let left = now.seconds_until(start_by);
    start_by.minus_seconds(cleanup_seconds(tick_seconds).min(left / 2))
}

/// How long the reconciler takes at most to find a due execution and clean up its shadow.
const fn cleanup_seconds(tick_seconds: u32) -> u32 {
    tick_seconds.saturating_add(5)
}

impl ShadowRoute {
    /// The shortest ttl of a command on this route, in seconds. The dialect `atlas` does not tell the device when a
    /// command expires, so the shadow must be cleaned up before the ttl ends. `tick_seconds` is the interval of the
    /// reconciler.
    pub fn min_ttl_seconds(&self, tick_seconds: u32) -> u32 {
        match self {
            Self::Atlas => cleanup_seconds(tick_seconds).saturating_mul(2),
            Self::Map(_) | Self::State(_) => 0,
        }
    }
}
