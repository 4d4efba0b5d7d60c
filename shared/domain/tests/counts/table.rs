//! The stored counts: one item for each command and shard, with conditional writes.

use std::collections::BTreeMap;

use domain::{Counts, SequenceNumber, ShardCounts};

/// Items by command and shard.
pub struct Table {
    items: BTreeMap<(usize, usize), ShardCounts>,
    /// Whether items are stored as text, which takes longer.
    as_text: bool,
}

impl Table {
    pub fn new(as_text: bool) -> Self {
        Self { items: BTreeMap::new(), as_text }
    }

    pub fn read(&self, key: (usize, usize)) -> ShardCounts {
        self.items.get(&key).cloned().unwrap_or_default()
    }

    /// Writes the item if its last folded record is still `read`. Returns whether it did.
    pub fn put(&mut self, key: (usize, usize), read: Option<&SequenceNumber>, mut item: ShardCounts) -> bool {
        if self.items.get(&key).and_then(|item| item.folded.as_ref()) != read {
            return false;
        }
        if self.as_text {
            item.folded = item.folded.map(|folded| SequenceNumber::parse(folded.as_str()).unwrap());
            item.counts = Counts::from_stored(&item.counts.to_stored()).unwrap();
        }
        self.items.insert(key, item);
        true
    }

    /// Adds to the item without a condition.
    pub fn add(&mut self, key: (usize, usize), more: &Counts) {
        self.items.entry(key).or_default().counts.merge(more);
    }

    /// The counts of a command: the sum of its items.
    pub fn sum(&self, command: usize) -> Counts {
        let mut sum = Counts::default();
        self.items.range((command, 0)..(command + 1, 0)).for_each(|(_, item)| sum.merge(&item.counts));
        sum
    }
}
