//! The shards of the due index, the sparse index of rows that have to be looked at. Each is read in order of time.

use std::num::NonZeroU8;

use sha2::{Digest, Sha256};

use crate::ids::ExecutionId;

/// The number of shards of the due index of commands, which holds far fewer items than that of executions.
pub const FLEET_SHARDS: u8 = 4;

/// The number of shards of the due index of executions.
///
/// It may grow while the table is in use: entries stay in the shards in which they were written, which are still read.
/// It must not shrink, since the entries of the shards above would not be found any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueShards(NonZeroU8);

impl DueShards {
    /// This many shards; none if there are none.
    pub fn new(number: u8) -> Option<Self> {
        NonZeroU8::new(number).map(Self)
    }

    /// How many shards there are.
    pub fn number(self) -> u8 {
        self.0.get()
    }

    /// The numbers of the shards.
    pub fn all(self) -> std::ops::Range<u8> {
        0..self.0.get()
    }

    /// The shard of an execution: by a hash of its whole id, so that executions are spread evenly, however many there
    /// are, with any number of shards.
    pub fn shard_of(self, id: &ExecutionId) -> u8 {
        let digest = Sha256::digest(id.as_str());
        let hash = digest.iter().take(8).fold(0, |hash: u64, byte| hash << 8 | u64::from(*byte));
        // Less than the number of shards, which fits.
        u8::try_from(hash % u64::from(self.0.get())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use crate::ids::CommandId;
    use crate::names::ThingName;
    use crate::timestamp::Timestamp;

    proptest! {
        #[test]
        fn every_execution_has_a_shard(id in "[a-z2-7]{26}", number in 1..=u8::MAX) {
            let shards = DueShards::new(number).unwrap();
            prop_assert!(shards.all().contains(&shards.shard_of(&ExecutionId::parse(&id).unwrap())));
        }
    }

    #[test]
    fn executions_are_spread_evenly() {
        let command = CommandId::from_request(Timestamp::from_seconds(1_700_000_000), "request");
        for number in [16, 64, 100] {
            let shards = DueShards::new(number).unwrap();
            let mut counts = vec![0_i32; usize::from(number)];
            for thing in 0..200 * i32::from(number) {
                let thing = ThingName::parse(&format!("pump-{thing}")).unwrap();
                counts[usize::from(shards.shard_of(&ExecutionId::of(&command, &thing)))] += 1;
            }
            // The sum of squares has as many degrees of freedom as shards; five standard deviations above.
            let sum: f64 = counts.iter().map(|count| f64::from((count - 200).pow(2)) / 200.0).sum();
            let freedom = f64::from(number - 1);
            assert!(sum < freedom + 5.0 * (2.0 * freedom).sqrt(), "{number} shards: {sum}, {counts:?}");
        }
    }

    #[test]
    fn no_shards_are_refused() {
        assert_eq!(DueShards::new(0), None);
    }
}
