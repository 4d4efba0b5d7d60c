//! `ShardCounts`: the counts of one command from one shard of one stream, and the last record that they contain.

use crate::fleet::counts::contribution::Contribution;
use crate::fleet::counts::sequence_number::SequenceNumber;
use crate::fleet::counts::totals::Counts;

/// A `COUNT` item. It is written on condition that `folded` in the table is unchanged since the item was read;
/// otherwise the item is read again and the records are folded again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardCounts {
    /// The last record that the counts contain; none if there is no item yet.
    pub folded: Option<SequenceNumber>,
    /// The counts of this shard.
    pub counts: Counts,
    /// How many times the item was written: a part of the sequence number of progress events.
    pub folds: u64,
}

/// One record of a stream, as a change of its item's contribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountChange {
    /// Place of the record in its shard.
    pub sequence: SequenceNumber,
    /// The contribution before the write; none for a new item.
    pub before: Option<Contribution>,
    /// The contribution after the write; none for a removed item.
    pub after: Option<Contribution>,
}

impl CountChange {
    /// Whether the record changes counts. A heartbeat, the claim of a batch and the removal of an item by its retention
    /// do not.
    pub fn changes_counts(&self) -> bool {
        self.after.is_some() && self.before != self.after
    }
}

impl ShardCounts {
    /// The counts after those of the records that are new, in the order of the shard; none if no new record changes
    /// counts.
    ///
    /// A record that changes nothing does not become the last folded record, which saves a write: folding it twice is
    /// harmless. That holds for single records only. Several records whose changes cancel each other out must be
    /// stored: another invocation may receive only the first of them.
    pub fn fold(&self, records: impl Iterator<Item = CountChange>) -> Option<Self> {
        let mut next = self.clone();
        for record in records.filter(CountChange::changes_counts) {
            if next.folded.as_ref().is_none_or(|folded| record.sequence > *folded) {
                next.counts.fold(record.before.as_ref(), record.after.as_ref());
                next.folded = Some(record.sequence);
            }
        }
        next.folds = next.folds.saturating_add(1);
        (next.folded != self.folded).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::counts::tests::{ended, of, sent};
    use crate::status::Status;

    fn record(sequence: u32, before: Option<Contribution>, after: Option<Contribution>) -> CountChange {
        CountChange { sequence: SequenceNumber::parse(&sequence.to_string()).unwrap(), before, after }
    }

    #[test]
    fn a_record_is_folded_once_in_any_combination() {
        let first = || record(9, None, Some(sent()));
        let second = || record(10, Some(sent()), Some(ended(Status::Succeeded, "FINE")));
        let one = ShardCounts::default().fold([first()].into_iter()).unwrap();
        let both = one.fold([first(), second(), first(), second()].into_iter()).unwrap();
        assert_eq!(both.folded, Some(SequenceNumber::parse("10").unwrap()));
        assert_eq!(both.counts, of(&[ended(Status::Succeeded, "FINE")]));
        assert_eq!(both.fold([first(), second()].into_iter()), None);
        assert_eq!(ShardCounts::default().fold([].into_iter()), None);
    }

    #[test]
    fn a_record_that_changes_no_count_is_not_written() {
        let one = ShardCounts::default().fold([record(1, None, Some(sent()))].into_iter()).unwrap();
        let heartbeat = record(2, Some(sent()), Some(sent()));
        assert_eq!(one.fold([heartbeat, record(3, Some(sent()), None)].into_iter()), None);
    }

    #[test]
    fn records_that_cancel_each_other_out_are_written() {
        let other = || ended(Status::Failed, "LOW_BATTERY");
        let items = [record(1, None, Some(sent())), record(2, None, Some(other()))];
        let before = ShardCounts::default().fold(items.into_iter()).unwrap();
        let swap = [record(3, Some(sent()), Some(other())), record(4, Some(other()), Some(sent()))];
        let after = before.fold(swap.into_iter()).unwrap();
        assert_eq!((&after.counts, &after.folded), (&before.counts, &Some(SequenceNumber::parse("4").unwrap())));
    }
}
