//! The register: how far an execution has come, as one number that only grows.
//!
//! Devices answer late, twice and out of order, and every writer may run twice. Whoever writes an execution does so only
//! if this number grows; whatever is old or known already fails that condition, and is rightly nothing to do.

/// Which delivery of the execution: 1, 2, ... A device may be asked again, never for more than this.
pub type Attempt = u16;

/// How far one attempt has come. The discriminants are stored: they may be added to, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Stored, and perhaps sent.
    Created = 0,
    /// The device has acknowledged the message.
    Delivered = 1,
    /// The device has accepted the command.
    Accepted = 2,
    /// The device has said that it still runs.
    Running = 3,
    /// The cloud has given up waiting: a guess, that a device's own verdict corrects.
    TimedOut = 8,
    /// Someone has called it off: a guess too.
    Canceled = 9,
    /// The device has failed, refused or timed out.
    Failed = 12,
    /// The device has succeeded.
    Succeeded = 15,
}

/// `attempt * 2^20 + rank * 2^16 + min(seq, 65535)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Progress(u64);

impl Progress {
    /// Success of any attempt is final: nothing is greater.
    pub const SUCCEEDED: Self = Self::pack(Attempt::MAX, Rank::Succeeded as u64, 0);

    /// This far in this attempt; `seq` counts what repeats within a rank (delivery tries, heartbeats).
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

    /// What repeats within the rank.
    pub const fn seq(self) -> u64 {
        self.0 & 0xffff
    }

    /// Whether the attempt has not come further than this rank.
    pub const fn within(self, rank: Rank) -> bool {
        (self.0 >> 16) & 0xf <= rank as u64
    }

    /// Whether nothing is awaited any more, though a device may still correct the cloud's guess.
    pub const fn is_terminal(self) -> bool {
        !self.within(Rank::Running)
    }

    /// Whether the device itself has said how it ended.
    pub const fn is_hard(self) -> bool {
        !self.within(Rank::Canceled)
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

    fn step() -> impl Strategy<Value = (Attempt, Rank, u64)> {
        (1..Attempt::MAX, proptest::sample::select(RANKS.to_vec()), prop_oneof![0..10u64, any::<u64>()])
    }

    fn settle(steps: &[(Attempt, Rank, u64)]) -> Option<Progress> {
        // What a row holds after a conditional write for each step.
        steps.iter().fold(None, |held, &(attempt, rank, seq)| held.max(Some(Progress::new(attempt, rank, seq))))
    }

    #[test]
    fn the_stored_numbers_are_pinned() {
        assert_eq!(Progress::new(1, Rank::Created, 0).get(), 1 << 20);
        assert_eq!(Progress::new(1, Rank::Running, 7).get(), (1 << 20) + (3 << 16) + 7);
        assert_eq!(Progress::new(2, Rank::Failed, 0).get(), (2 << 20) + (12 << 16));
        assert_eq!(Progress::new(1, Rank::Succeeded, 3).get(), (65535 << 20) + (15 << 16));
    }

    #[test]
    fn only_the_device_has_the_last_word() {
        for rank in RANKS {
            let progress = Progress::new(1, rank, 0);
            assert_eq!(progress.is_terminal(), rank >= Rank::TimedOut, "{rank:?}");
            assert_eq!(progress.is_hard(), rank >= Rank::Failed, "{rank:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_attempt_then_rank_then_seq(a in step(), b in step()) {
            let flat = |(attempt, rank, seq): (Attempt, Rank, u64)| match rank {
                Rank::Succeeded => (Attempt::MAX, rank, 0),
                _ => (attempt, rank, seq.min(65535)),
            };
            let (left, right) = (Progress::new(a.0, a.1, a.2), Progress::new(b.0, b.1, b.2));
            prop_assert_eq!(left.cmp(&right), flat(a).cmp(&flat(b)));
        }

        #[test]
        fn neither_order_nor_repetition_matters(
            steps in proptest::collection::vec(step(), 1..20), again in proptest::collection::vec(any::<usize>(), 0..20),
        ) {
            let mut shuffled = steps.clone();
            shuffled.reverse();
            shuffled.extend(again.iter().map(|i| steps[i % steps.len()]));
            prop_assert_eq!(settle(&steps), settle(&shuffled));
        }

        #[test]
        fn nothing_is_greater_than_success(other in step()) {
            prop_assert!(Progress::new(other.0, other.1, other.2) <= Progress::SUCCEEDED);
        }

        #[test]
        fn a_later_attempt_is_greater_whatever_it_says(a in step(), b in step()) {
            prop_assume!(a.0 < b.0 && a.1 != Rank::Succeeded);
            prop_assert!(Progress::new(a.0, a.1, a.2) < Progress::new(b.0, b.1, b.2));
        }
    }
}
