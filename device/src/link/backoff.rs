//! How long a link waits before it connects again.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Milliseconds after the first failure, and at most.
const RANGE_MS: RangeInclusive<u64> = 250..=32_000;

/// Exponential and capped, half of it random: a fleet that lost its broker must not reconnect all at once. `failures`
/// counts the failures in a row before this one; `random` is from 0 to 1.
pub(super) fn delay(failures: u32, random: f64) -> Duration {
    let (first, cap) = RANGE_MS.into_inner();
    let full = first.saturating_mul(1 << failures.min(16)).min(cap);
    Duration::from_millis(full).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_doubles_up_to_its_cap_and_half_of_it_is_random() {
        assert_eq!(delay(0, 1.0), Duration::from_millis(250));
        assert_eq!(delay(0, 0.0), Duration::from_millis(125));
        assert_eq!(delay(3, 1.0), Duration::from_secs(2));
        assert_eq!(delay(u32::MAX, 1.0), Duration::from_secs(32));
    }
}
