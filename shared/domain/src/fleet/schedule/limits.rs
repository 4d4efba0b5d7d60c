//! How far in the past or the future the start of a schedule may be.

/// A start that has passed by at most this much is taken as now: clocks differ, and requests take time.
pub(super) const MAX_PAST_SECONDS: u32 = 5 * 60;

/// How far ahead a start may be.
pub(super) const MAX_AHEAD_SECONDS: u32 = 30 * 24 * 3600;
