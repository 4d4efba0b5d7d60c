//! `BatchProgress`: what an invocation has done for a batch, and the batch after that.

use crate::fleet::batch::row::{Batch, due_after};
use crate::timestamp::Timestamp;

/// What the invocation that claimed a batch has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BatchProgress {
    /// How many places are handled now; none if nothing had to be sent.
    pub done: Option<u16>,
    /// Places that could not be stored.
    pub retry_places: Vec<u16>,
    /// When the executions have to be looked at; the outer option is none if that does not change.
    pub monitor_at: Option<Option<Timestamp>>,
    /// Generation of the cancel for which the executions were canceled.
    pub canceled_generation: Option<u32>,
    /// Whether unsent things were held because the command is paused.
    pub held: bool,
}

impl Batch {
    /// Places that could not be stored are tried again after this many seconds.
    const RETRY_SECONDS: u32 = 5;
    /// A batch on hold is checked after this many seconds, in case the propagation of a resume did not reach it.
    const HOLD_RECHECK_SECONDS: u32 = 3600;

    /// The batch after an invocation has processed it. The claim ends. If the batch was marked ready during the claim,
    /// it stays so, and is processed again.
    #[must_use]
    pub fn with_progress(&self, progress: &BatchProgress, now: Timestamp) -> Self {
        let mut next = Self { claim: None, ..self.next() };
        if let Some(done) = progress.done {
            next.done = next.done.max(done);
            next.retry_places = progress.retry_places.clone();
        }
        if let Some(monitor_at) = progress.monitor_at {
            next.monitor_at = monitor_at;
        }
        if let Some(generation) = progress.canceled_generation {
            next.canceled_generation = generation;
        }
        let send_at = match (next.has_unsent(), progress.held) {
            (false, _) => None,
            (true, true) => Some(due_after(now, Self::HOLD_RECHECK_SECONDS)),
            (true, false) => Some(due_after(now, Self::RETRY_SECONDS)),
        };
        let monitor_at = next.monitor_at.map(Timestamp::as_seconds_rounded_up);
        // What is overdue is looked at with the next sending: a sending that fails is not retried before its time.
        let monitor_at = monitor_at.filter(|at| send_at.is_none() || progress.held || *at > now.as_seconds());
        next.due_at = send_at.into_iter().chain(monitor_at).min();
        if progress.done.is_some() && next.allowed < next.things {
            next.due_at = next.due_at.map(|due| self.due_between_releases(due, now));
        }
        next
    }

    /// The due entry of a batch whose things are released step by step: it stays through several steps, since moving an
    /// entry of the index costs two writes, and each release would bring it forward again. It never comes up after
    /// `due_at`, and before that only if no release follows.
    fn due_between_releases(&self, due_at: i64, now: Timestamp) -> i64 {
        let latest = due_at.min(Self::watchdog_at(now));
        // A claim moves an entry that would come up before its own end.
        let earliest = due_after(now, Self::CLAIM_SECONDS + 1);
        self.due_at.filter(|due| (earliest..=latest).contains(due)).unwrap_or(latest)
    }
}
