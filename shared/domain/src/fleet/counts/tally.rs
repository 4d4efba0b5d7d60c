//! One command's counts in one shard of one stream, and how far they have come in it.

use super::{Contribution, Counts, SequenceNumber};

/// A `COUNT` item: the counts of one command, from one shard of one stream. It is written only if `folded` in the table is still what
/// it was when this was read; else it is read and folded again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The last record that is in the counts; none where there is no item yet.
    pub folded: Option<SequenceNumber>,
    /// The counts.
    pub counts: Counts,
}

/// One record of a stream, in terms of what its item adds to its command's counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// Where in its shard it is.
    pub sequence: SequenceNumber,
    /// What its item added before; none where it is new.
    pub before: Option<Contribution>,
    /// What it adds now; none where it is there no more.
    pub after: Option<Contribution>,
}

impl Folded {
    /// Whether it counts at all: an item that only beats, or is forgotten at last, or a batch that is claimed, moves nothing.
    pub fn moves(&self) -> bool {
        self.after.is_some() && self.before != self.after
    }
}

impl Tally {
    /// The tally with the new ones of these records in it, in the order in which the shard has handed them over; none if there is
    /// nothing new in them.
    ///
    /// A record that moves nothing need not be remembered: folded twice, it does nothing twice. That is true of each such record, and
    /// not of some that only together move nothing: someone may come who has only the first of them.
    pub fn fold(&self, records: impl Iterator<Item = Folded>) -> Option<Self> {
        let mut next = self.clone();
        for record in records.filter(Folded::moves) {
            if next.folded.as_ref().is_none_or(|folded| record.sequence > *folded) {
                next.counts.fold(record.before.as_ref(), record.after.as_ref());
                next.folded = Some(record.sequence);
            }
        }
        (next.folded != self.folded).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Status,
        fleet::counts::tests::{ended, of, sent},
    };

    fn record(sequence: u32, before: Option<Contribution>, after: Option<Contribution>) -> Folded {
        Folded { sequence: SequenceNumber::parse(&sequence.to_string()).unwrap(), before, after }
    }

    #[test]
    fn a_record_is_folded_once_whatever_comes_with_it() {
        let first = || record(9, None, Some(sent()));
        let second = || record(10, Some(sent()), Some(ended(Status::Succeeded, "FINE")));
        let one = Tally::default().fold([first()].into_iter()).unwrap();
        let both = one.fold([first(), second(), first(), second()].into_iter()).unwrap();
        assert_eq!(both.folded, Some(SequenceNumber::parse("10").unwrap()));
        assert_eq!(both.counts, of(&[ended(Status::Succeeded, "FINE")]));
        assert_eq!(both.fold([first(), second()].into_iter()), None);
        assert_eq!(Tally::default().fold([].into_iter()), None);
    }

    #[test]
    fn a_record_that_moves_nothing_is_not_worth_a_write() {
        let one = Tally::default().fold([record(1, None, Some(sent()))].into_iter()).unwrap();
        let beat = record(2, Some(sent()), Some(sent()));
        assert_eq!(one.fold([beat, record(3, Some(sent()), None)].into_iter()), None);
    }

    #[test]
    fn what_moves_nothing_only_together_is_remembered() {
        let other = || ended(Status::Failed, "LOW_BATTERY");
        let items = [record(1, None, Some(sent())), record(2, None, Some(other()))];
        let before = Tally::default().fold(items.into_iter()).unwrap();
        let swap = [record(3, Some(sent()), Some(other())), record(4, Some(other()), Some(sent()))];
        let after = before.fold(swap.into_iter()).unwrap();
        assert_eq!((&after.counts, &after.folded), (&before.counts, &Some(SequenceNumber::parse("4").unwrap())));
    }
}
