//! The shards of the due index, the sparse index of rows that have to be looked at.

use crate::ids::ExecutionId;

/// The number of partitions of the `due` index of executions; each is read in order of time.
pub const SHARDS: u8 = 16;

/// The number of partitions of the `due` index of commands, which holds far fewer items.
pub const FLEET_SHARDS: u8 = 4;

/// The partition of the `due` index that holds an execution.
pub fn due_shard(id: &ExecutionId) -> u8 {
    // An id is the base 32 of a hash, so its first character is evenly distributed.
    id.as_str().bytes().next().unwrap_or(0) % SHARDS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_execution_has_a_shard(id in "[a-z2-7]{26}") {
            prop_assert!(due_shard(&ExecutionId::parse(&id).unwrap()) < SHARDS);
        }
    }
}
