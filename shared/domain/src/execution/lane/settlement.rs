//! Settles a lane: what one look at its whole queue ends, cleans up and removes, and what may be sent then.
//!
//! A hundred executions of one lane may end at the same time. If each of them looked at all others, the work would grow
//! with the square of the lane, so one function settles the lane for all.

use crate::actor::Actor;
use crate::command::lane::LaneName;
use crate::execution::change::{Change, DueEntry, Effect};
use crate::execution::key::Key;
use crate::execution::lane::{HeadAction, LaneCancel, LaneClaim, LaneQueue};
use crate::execution::row::Execution;
use crate::ids::ExecutionId;
use crate::timestamp::Timestamp;

/// What a lane needs, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LaneSettlement {
    /// The changes that end executions, in the order of the queue, each with its position there: the verdict of a
    /// deadline that has passed, or the cancel of an execution behind one that has stopped the lane.
    ///
    /// Each counts on those before it. After a conflict the lane has to be looked at again: an execution that has
    /// succeeded in the meantime stops nothing.
    pub ends: Vec<(usize, Change)>,
    /// The executions that have ended by then and have yet to leave, but for the one on whose behalf the lane is
    /// settled: each is cleaned up ([`crate::NextAction::CleanUp`]).
    pub ended: Vec<Key>,
    /// What is removed from the queue then: positions, in growing order, and ids.
    pub leaving: Vec<(usize, ExecutionId)>,
    /// The executions that may be sent then: one, or the desired states that wait for nothing any more.
    pub next: Vec<Key>,
}

impl LaneClaim {
    /// How long a function may settle a lane, in seconds. What it leaves undone stays due.
    pub const MAX_SECONDS: u32 = 10;

    /// Whether the function that has the claim ends this row, which waits in the lane.
    pub fn ends(&self, row: &Execution) -> bool {
        row.overdue_verdict(self.as_of).is_some()
    }
}

impl LaneQueue {
    /// The longest queue that is settled without a claim, which costs a write of the whole queue: a few functions that
    /// settle the same short lane lose a few writes.
    const MAX_UNCLAIMED: usize = 3;

    /// Whether a function needs a claim before it settles the lane.
    pub fn needs_claim(&self) -> bool {
        self.ids.len() > Self::MAX_UNCLAIMED
    }

    /// The claim of the function that settles the lane at `now`.
    pub fn settler_at(&self, now: Timestamp) -> Option<&LaneClaim> {
        self.settler.as_ref().filter(|settler| settler.until > now)
    }

    /// The head of what is left of the queue after it was settled, if it has entered the lane since this queue was read:
    /// it waits for an execution that is gone, and the function that settles the lane sends it.
    pub fn next_entered<'a>(&self, rest: &'a Self, lane: &LaneName) -> Option<&'a ExecutionId> {
        rest.head().filter(|head| !lane.holds_only_desired_states() && !self.ids.contains(head))
    }

    /// Looks at the whole queue. `rows` has the row of each id, none where it does not exist. `own` is the execution on
    /// whose behalf the lane is settled: it has ended, and leaves last, so that after a crash it still is due.
    pub fn settle(
        &self,
        rows: &[Option<Execution>],
        own: &ExecutionId,
        now: Timestamp,
        actor: &Actor,
    ) -> LaneSettlement {
        let mut settlement = LaneSettlement::default();
        // Whether an execution before it stops the lane, and those before it that stay.
        let (mut stopped, mut staying) = (false, Vec::new());
        for (position, (id, row)) in self.ids.iter().zip(rows).enumerate() {
            let end = row.as_ref().and_then(|row| row.end_in_lane(stopped, now, actor));
            let after = match (row, &end) {
                (Some(row), Some(end)) => row.apply(end),
                (row, _) => row.clone(),
            };
            settlement.ends.extend(end.map(|end| (position, end)));
            match after {
                Some(after) if !after.is_terminal() => {
                    let waits = staying.iter().any(|before| after.waits_for(before));
                    let is_next = !waits && HeadAction::of(Some(&after), now) == HeadAction::Send;
                    if is_next && after.lane.as_ref().is_some_and(|lane| !lane.name.holds_only_desired_states()) {
                        settlement.next.push(after.key.clone());
                    }
                    staying.push(after);
                }
                after => {
                    // One that has left the lane stops nothing: what came behind it joined the lane after its end, or
                    // has an execution before it that stops the lane too.
                    if let Some(after) = after.filter(|after| !after.has_left_lane()) {
                        stopped |= after.stops_lane();
                        settlement.ended.extend((id != own).then_some(after.key));
                    }
                    settlement.leaving.push((position, id.clone()));
                }
            }
        }
        settlement
    }
}

impl Execution {
    /// The change that ends it in its lane; none if it stays, or has ended. It leaves the lane with the same write if
    /// it has no shadow to clean up and nothing behind it depends on it.
    fn end_in_lane(&self, stopped: bool, now: Timestamp, actor: &Actor) -> Option<Change> {
        let mut end = match self.overdue_verdict(now) {
            Some(verdict) => self.end_overdue(verdict, now, actor.clone()),
            None if stopped => match self.cancel_stopped(now, actor.clone()) {
                LaneCancel::Write(change) => *change,
                LaneCancel::Refused | LaneCancel::Ended => return None,
            },
            None => return None,
        };
        let stops = self.apply(&end).is_some_and(|ended| ended.stops_lane());
        if let Effect::CloudVerdict(verdict) = end.effect
            && !self.shadow_cleanup_pending
            && (stopped || !stops)
        {
            (end.effect, end.due) = (Effect::LastVerdict(verdict), DueEntry::Remove);
        }
        Some(end)
    }
}

#[cfg(test)]
mod tests;
