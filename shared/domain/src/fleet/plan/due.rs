//! The plan's entry in the due index: when the reconciler wakes fan-out for it, in case a function has crashed.

use crate::fleet::plan::row::Plan;
use crate::fleet::rollout::progress::RolloutStep;
use crate::timestamp::Timestamp;

impl Plan {
    /// The reconciler wakes fan-out after this many seconds without a write to the plan.
    const WATCHDOG_SECONDS: u32 = 60;

    /// The due entry of a plan that waits for time; none if it does not. Steps of a rate come by their wakes, and the
    /// entry only has to come up if those are lost: it moves once a minute, since moving it costs two writes.
    pub(super) fn due_while_waiting(&self, step: &RolloutStep, now: Timestamp) -> Option<i64> {
        let recheck = step.recheck_at?.as_seconds_rounded_up();
        let watchdog = Self::watchdog_at(now);
        let is_woken = step.rate.is_some() && step.release_at == step.recheck_at && recheck <= watchdog;
        if !is_woken {
            return Some(recheck);
        }
        Some(self.due_at.filter(|due| (now.as_seconds() + 1..=watchdog).contains(due)).unwrap_or(watchdog))
    }

    /// The plan with nothing left to do.
    #[must_use]
    pub fn idle(&self) -> Self {
        self.next(|plan| Self { due_at: None, ..plan })
    }

    /// The plan after a write whose stream record wakes fan-out. An earlier due time in the future is kept, so that
    /// repeated wake-ups do not postpone it.
    #[must_use]
    pub fn mark_ready(&self, now: Timestamp) -> Self {
        let earlier = self.due_at.filter(|due| *due > now.as_seconds());
        let watchdog = Self::watchdog_at(now);
        let due_at = Some(earlier.map_or(watchdog, |due| due.min(watchdog)));
        self.next(|plan| Self { due_at, ..plan })
    }

    /// Postpones the due entry only if it has come up: moving an entry of the index costs two writes.
    pub(super) fn watched(mut self, now: Timestamp) -> Self {
        if self.due_at.is_none_or(|due| due <= now.as_seconds()) {
            self.due_at = Some(Self::watchdog_at(now));
        }
        self
    }

    /// In whole seconds.
    pub(super) fn watchdog_at(now: Timestamp) -> i64 {
        now.plus_seconds(Self::WATCHDOG_SECONDS).as_seconds_rounded_up()
    }
}
