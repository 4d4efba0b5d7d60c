//! Folding of stream records into counts: the contribution before a write is subtracted, the one after it added.

use crate::fleet::counts::contribution::Contribution;
use crate::fleet::counts::signed_count::{add, add_each};
use crate::fleet::counts::totals::Counts;

impl Counts {
    /// Folds one write of an item.
    ///
    /// A removed item (`after` is none) stays counted: items are removed only by their retention, long after their
    /// command has ended. `before` may be subtracted although it was never added, if it was written before the stream's
    /// memory: then the count is negative, and shown as zero.
    pub fn fold(&mut self, before: Option<&Contribution>, after: Option<&Contribution>) {
        let Some(after) = after else { return };
        if let Some(before) = before {
            self.add(before, -1);
        }
        self.add(after, 1);
    }

    /// Adds the counts of another shard.
    pub fn merge(&mut self, other: &Self) {
        add_each(&mut self.statuses, &other.statuses);
        add_each(&mut self.deliveries, &other.deliveries);
        self.reasons.merge(&other.reasons);
        add(&mut self.no_response, other.no_response);
        add(&mut self.duplicates, other.duplicates);
    }

    /// Adds a contribution (`sign` 1) or subtracts it (`sign` -1).
    fn add(&mut self, contribution: &Contribution, sign: i64) {
        match contribution {
            Contribution::Execution { status, delivery_status, reason } => {
                add(&mut self.statuses[*status as usize], sign);
                add(&mut self.deliveries[*delivery_status as usize], sign);
                add(&mut self.no_response, sign * i64::from(contribution.is_no_response()));
                if let Some(reason) = reason {
                    self.reasons.add(reason, sign);
                }
            }
            Contribution::Duplicate => add(&mut self.duplicates, sign),
        }
    }
}
