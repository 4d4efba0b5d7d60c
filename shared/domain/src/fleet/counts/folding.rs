//! Taking away what an item was, and adding what it is.

use super::{Contribution, Counts};

impl Counts {
    /// An item was this, and is that now.
    ///
    /// An item that is there no more is not taken away: nothing removes one but its retention, long after its command has ended, and
    /// what has happened stays counted. It is total: what began before the stream's memory may take away more than there is, and is
    /// shown as none.
    pub fn fold(&mut self, before: Option<&Contribution>, after: Option<&Contribution>) {
        let Some(after) = after else { return };
        if let Some(before) = before {
            self.add(before, -1);
        }
        self.add(after, 1);
    }

    /// Adds what another shard has counted.
    pub fn merge(&mut self, other: &Self) {
        add_each(&mut self.statuses, &other.statuses);
        add_each(&mut self.deliveries, &other.deliveries);
        self.reasons.merge(&other.reasons);
        add(&mut self.no_response, other.no_response);
        add(&mut self.duplicates, other.duplicates);
    }

    /// Adds a contribution, or takes it away: `sign` is 1 or -1.
    fn add(&mut self, contribution: &Contribution, sign: i64) {
        match contribution {
            Contribution::Execution { status, delivery_status, reason } => {
                add(&mut self.statuses[*status as usize], sign);
                add(&mut self.deliveries[*delivery_status as usize], sign);
                add(&mut self.no_response, sign * i64::from(contribution.is_silent()));
                if let Some(reason) = reason {
                    self.reasons.add(reason, sign);
                }
            }
            Contribution::Duplicate => add(&mut self.duplicates, sign),
        }
    }
}

fn add(count: &mut i64, more: i64) {
    *count = count.saturating_add(more);
}

fn add_each(counts: &mut [i64], more: &[i64]) {
    counts.iter_mut().zip(more).for_each(|(count, more)| add(count, *more));
}
