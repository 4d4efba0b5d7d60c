//! Arithmetic of counts that may be negative in one shard, or while records are on their way.

/// The count that is shown: a negative sum is shown as zero.
pub(super) fn shown(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Adds without overflow.
pub(super) fn add(count: &mut i64, more: i64) {
    *count = count.saturating_add(more);
}

/// Adds each of `more` to the count at the same place.
pub(super) fn add_each(counts: &mut [i64], more: &[i64]) {
    counts.iter_mut().zip(more).for_each(|(count, more)| add(count, *more));
}
