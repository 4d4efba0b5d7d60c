//! Exponential backoff with full jitter, computed from an execution id instead of a random number.

use sha2::{Digest, Sha256};

use crate::execution::progress::Attempt;
use crate::ids::ExecutionId;

/// The delay in seconds before the retry that follows the n-th try: 0 to `base * 2^(n - 1)`, at most `cap`.
///
/// The same arguments give the same delay, so two functions that schedule the same retry agree on its time. An
/// execution id is a hash, so the delays of a fleet are spread evenly.
pub(crate) fn full_jitter(id: &ExecutionId, n: Attempt, base: u32, cap: u32) -> u32 {
    let doublings = u32::from(n.saturating_sub(1)).min(31);
    let limit = (u64::from(base) << doublings).min(u64::from(cap));
    let digest = Sha256::new().chain_update(id.as_str()).chain_update(n.to_be_bytes()).finalize();
    let random = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    u32::try_from(random % (limit + 1)).unwrap_or(cap)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    use crate::ids::CommandId;
    use crate::names::ThingName;
    use crate::timestamp::Timestamp;

    fn id(n: u32) -> ExecutionId {
        let command = CommandId::from_request(Timestamp::from_seconds(i64::from(n)), "request");
        ExecutionId::of(&command, &ThingName::parse("pump-7").unwrap())
    }

    proptest! {
        #[test]
        fn delay_stays_within_base_and_cap(
            n in 1..200u16, base in 0..1000u32, more in 0..100_000u32, seed in 0..1000u32,
        ) {
            let delay = full_jitter(&id(seed), n, base, base + more);
            prop_assert!(delay <= base + more);
            if n == 1 {
                prop_assert!(delay <= base);
            }
        }
    }

    #[test]
    fn delays_of_a_fleet_are_spread_over_the_whole_range() {
        let delays: BTreeSet<u32> = (0..1000).map(|n| full_jitter(&id(n), 5, 5, 300)).collect();
        assert!(delays.len() > 75, "{} of 81", delays.len());
        assert_eq!((delays.first(), delays.last()), (Some(&0), Some(&80)));
    }
}
