//! Release of the things of a batch, and the writes that wake the dispatcher.

use crate::fleet::batch::row::Batch;
use crate::fleet::control::Control;
use crate::timestamp::Timestamp;

impl Batch {
    /// The batch with this many things released; none if that many are released already.
    pub fn release(&self, allowed: u16, now: Timestamp) -> Option<Self> {
        let allowed = allowed.min(self.things);
        let watchdog = Self::watchdog_at(now);
        let due_at = Some(self.due_at.map_or(watchdog, |due| due.min(watchdog)));
        (allowed > self.allowed).then(|| Self { allowed, ready: true, due_at, ..self.next() })
    }

    /// The batch after a write whose stream record wakes the dispatcher. If the dispatcher crashes, the reconciler
    /// wakes it again after `WATCHDOG_SECONDS`. An earlier due time in the future is kept.
    #[must_use]
    pub fn mark_ready(&self, now: Timestamp) -> Self {
        let earlier = self.due_at.filter(|due| *due > now.as_seconds());
        let watchdog = Self::watchdog_at(now);
        let due_at = Some(earlier.map_or(watchdog, |due| due.min(watchdog)));
        Self { ready: true, due_at, ..self.next() }
    }

    /// The batch after a change of control; none if the change does not concern it.
    pub fn mark_ready_after(&self, control: &Control, now: Timestamp) -> Option<Self> {
        (self.needs_cancel(control) || self.has_unsent()).then(|| self.mark_ready(now))
    }

    /// The batch after an invocation put it on hold, because it read that the command is paused; none if nothing is
    /// missed. If the command was resumed before the hold was written, the propagation of the resume may have passed
    /// the batch.
    pub fn mark_ready_after_hold(&self, control: &Control, now: Timestamp) -> Option<Self> {
        (!control.is_paused() && !self.ready).then(|| self.mark_ready(now))
    }
}
