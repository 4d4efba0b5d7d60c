//! Counts of a fleet command: how many executions have which status, folded from table streams exactly once per record.
//!
//! A stream record has the item before and after one write. The contribution of the first is subtracted, that of the
//! second added. Each shard of a stream has its own [`shard_counts::ShardCounts`] per command, which hold the last
//! folded record, so that no record is folded twice. The counts of a command are the sum of all shards. One shard alone
//! may have negative counts: when a shard splits, its children subtract what the parent has added.
//!
//! - [`totals`]: `Counts`, the sums; [`reasons`]: the sums by reason; [`fold`]: adding and subtracting; [`stored`]: the
//!   JSON
//! - [`contribution`]: what one item adds; [`shard_counts`], [`sequence_number`]: exactly-once folding

pub(crate) mod contribution;
pub(crate) mod fold;
pub(crate) mod reasons;
pub(crate) mod sequence_number;
pub(crate) mod shard_counts;
pub(crate) mod signed_count;
pub(crate) mod stored;
#[cfg(test)]
mod tests;
pub(crate) mod totals;
