//! Progress: the monotonic version number of an execution, made of attempt, rank and sequence number.
//!
//! Reports arrive late, twice and out of order, and every writer may run twice. A report is applied only if it
//! increases this number, so a stale or repeated report fails the condition and changes nothing.

/// The number of a delivery of an execution's request, counted from 1.
pub type Attempt = u16;

/// How far one attempt has come. The values are stored: a value may be added, but never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// The attempt is stored, and perhaps sent.
    Created = 0,
    /// The device has acknowledged the message.
    Delivered = 1,
    /// The device has started the command.
    Accepted = 2,
    /// The device has sent a heartbeat.
    Running = 3,
    /// A deadline has passed: provisional, a report of the device overrides it.
    TimedOut = 8,
    /// It was canceled: provisional too.
    Canceled = 9,
    /// The device has reported FAILED, REJECTED or TIMED_OUT: final.
    Failed = 12,
    /// The device has reported SUCCEEDED: final.
    Succeeded = 15,
}

/// Progress as one number: `attempt * 2^20 + rank * 2^16 + min(seq, 65535)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Progress(u64);

impl Progress {
    /// The progress after the success of any attempt: no other progress is greater.
    pub const SUCCEEDED: Self = Self::pack(Attempt::MAX, Rank::Succeeded as u64, 0);

    /// The progress of an attempt. `seq` counts the events of one rank: tries to send, or heartbeats.
    pub const fn new(attempt: Attempt, rank: Rank, seq: u64) -> Self {
        match rank {
            Rank::Succeeded => Self::SUCCEEDED,
            _ => Self::pack(attempt, rank as u64, seq),
        }
    }

    const fn pack(attempt: Attempt, rank: u64, seq: u64) -> Self {
        let seq = if seq > 65535 { 65535 } else { seq };
        Self(((attempt as u64) << 20) | (rank << 16) | seq)
    }

    /// The number as it is stored.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as it was stored.
    pub const fn from_stored(number: u64) -> Self {
        Self(number)
    }

    /// The sequence number within the rank, at most 65535.
    pub const fn seq(self) -> u64 {
        self.0 & 0xffff
    }

    /// Whether the rank is at most this one.
    pub const fn is_at_most(self, rank: Rank) -> bool {
        (self.0 >> 16) & 0xf <= rank as u64
    }

    /// Whether the execution has ended, provisionally or finally.
    pub const fn is_terminal(self) -> bool {
        !self.is_at_most(Rank::Running)
    }

    /// Whether the device has reported how the execution ended.
    #[cfg(test)]
    pub(crate) const fn is_final(self) -> bool {
        !self.is_at_most(Rank::Canceled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RANKS: [Rank; 8] = [
        Rank::Created,
        Rank::Delivered,
        Rank::Accepted,
        Rank::Running,
        Rank::TimedOut,
        Rank::Canceled,
        Rank::Failed,
        Rank::Succeeded,
    ];

    fn event() -> impl Strategy<Value = (Attempt, Rank, u64)> {
        (1..Attempt::MAX, proptest::sample::select(RANKS.to_vec()), prop_oneof![0..10u64, any::<u64>()])
    }

    /// What a row holds after one conditional write for each event.
    fn stored_after(events: &[(Attempt, Rank, u64)]) -> Option<Progress> {
        events.iter().fold(None, |held, &(attempt, rank, seq)| held.max(Some(Progress::new(attempt, rank, seq))))
    }

    #[test]
    fn stored_numbers_do_not_change() {
        assert_eq!(Progress::new(1, Rank::Created, 0).get(), 1 << 20);
        assert_eq!(Progress::new(1, Rank::Running, 7).get(), (1 << 20) + (3 << 16) + 7);
        assert_eq!(Progress::new(2, Rank::Failed, 0).get(), (2 << 20) + (12 << 16));
        assert_eq!(Progress::new(1, Rank::Succeeded, 3).get(), (65535 << 20) + (15 << 16));
    }

    #[test]
    fn only_ranks_of_reports_are_final() {
        for rank in RANKS {
            let progress = Progress::new(1, rank, 0);
            assert_eq!(progress.is_terminal(), rank >= Rank::TimedOut, "{rank:?}");
            assert_eq!(progress.is_final(), rank >= Rank::Failed, "{rank:?}");
        }
    }

    proptest! {
        #[test]
        fn order_is_attempt_then_rank_then_sequence(a in event(), b in event()) {
            let flat = |(attempt, rank, seq): (Attempt, Rank, u64)| match rank {
                Rank::Succeeded => (Attempt::MAX, rank, 0),
                _ => (attempt, rank, seq.min(65535)),
            };
            let (left, right) = (Progress::new(a.0, a.1, a.2), Progress::new(b.0, b.1, b.2));
            prop_assert_eq!(left.cmp(&right), flat(a).cmp(&flat(b)));
        }

        #[test]
        fn neither_order_nor_repetition_of_events_matters(
            events in proptest::collection::vec(event(), 1..20),
            repeated in proptest::collection::vec(any::<usize>(), 0..20),
        ) {
            let mut shuffled = events.clone();
            shuffled.reverse();
            shuffled.extend(repeated.iter().map(|i| events[i % events.len()]));
            prop_assert_eq!(stored_after(&events), stored_after(&shuffled));
        }

        #[test]
        fn success_is_the_greatest_progress(other in event()) {
            prop_assert!(Progress::new(other.0, other.1, other.2) <= Progress::SUCCEEDED);
        }

        #[test]
        fn later_attempt_is_greater_than_any_earlier_one_but_success(a in event(), b in event()) {
            prop_assume!(a.0 < b.0 && a.1 != Rank::Succeeded);
            prop_assert!(Progress::new(a.0, a.1, a.2) < Progress::new(b.0, b.1, b.2));
        }
    }
}
