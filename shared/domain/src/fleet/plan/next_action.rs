//! The plan's policy: which of its tasks fan-out does next.

use std::ops::Range;

use crate::actor::Actor;
use crate::command::row::Command;
use crate::fleet::broadcast::Broadcast;
use crate::fleet::control::Control;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::broadcast::BroadcastReadiness;
use crate::fleet::plan::row::Plan;
use crate::fleet::rollout::halt::RolloutHalt;
use crate::fleet::rollout::progress::RolloutStep;
use crate::fleet::selection::Source;
use crate::fleet::target::Fleet;
use crate::ids::BatchNumber;
use crate::timestamp::Timestamp;

/// What fan-out does next for a plan. After each action, except [`Self::Stop`], [`Self::Pause`], [`Self::AwaitStep`],
/// [`Self::Reschedule`] and [`Self::Idle`], it writes the plan and asks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanAction<'a> {
    /// Read the sum of the counts and ask again with it. Nothing is written.
    ReadCounts,
    /// The command was resumed: write this plan, which records the resume point.
    RecordResume(Box<Plan>),
    /// The command was paused, resumed or canceled: wake these batches if the change concerns them.
    PropagateControl(Range<BatchNumber>),
    /// An abort criterion is met: write this control, which stops the command.
    Stop(Control),
    /// Release batches until this many things are released.
    Release(RolloutStep),
    /// The schedule has ended: read how far the batches are released, and close the plan with this note.
    Close {
        /// Text for the operator.
        note: String,
    },
    /// Too few executions before a gate succeeded: pause the command.
    Pause {
        /// Text for the operator.
        reason: String,
    },
    /// Read the page of this source at the cursor, and store its things as batches.
    ReadPage(Source<'a>),
    /// All sources are read: complete the plan, unless another invocation has stored one more batch.
    FinishReading,
    /// Claim and send the message of this broadcast.
    SendBroadcast(&'a Broadcast),
    /// The next steps of the rollout need wakes: write this plan, send wakes for these times, and stop.
    AwaitStep(Box<Plan>, Vec<Timestamp>),
    /// Nothing to do now: write this plan, which has another entry in the due index, and stop.
    Reschedule(Box<Plan>),
    /// Nothing to do now, and nothing to write.
    Idle,
}

impl Plan {
    /// What fan-out does next. `counts` is none at first, and given after [`PlanAction::ReadCounts`].
    pub fn next_action<'a>(
        &self,
        command: &Command,
        fleet: &'a Fleet,
        counts: Option<&Counts>,
        now: Timestamp,
    ) -> PlanAction<'a> {
        let control = &command.control;
        if self.has_unrecorded_resume(control) {
            let Some(counts) = counts else { return PlanAction::ReadCounts };
            return PlanAction::RecordResume(Box::new(self.record_resume(control, counts, now)));
        }
        if let Some(batches) = self.next_to_propagate(control) {
            return PlanAction::PropagateControl(batches);
        }
        if control.is_running() && self.has_unreleased(fleet) {
            let Some(counts) = counts else { return PlanAction::ReadCounts };
            if let Some(action) = self.release_action(command, fleet, counts, now) {
                return action;
            }
        }
        if !self.complete && !control.is_canceled() {
            return match fleet.selection.source(self.cursor.source) {
                Some(source) => PlanAction::ReadPage(source),
                None => PlanAction::FinishReading,
            };
        }
        match (self.broadcast_readiness(command, fleet, counts, now), &fleet.broadcast) {
            (BroadcastReadiness::CountsNeeded, _) => PlanAction::ReadCounts,
            (BroadcastReadiness::Ready, Some(broadcast)) => PlanAction::SendBroadcast(broadcast),
            (readiness, _) => {
                let waits =
                    readiness == BroadcastReadiness::Waiting || control.is_running() && self.has_unreleased(fleet);
                self.due_action(waits, now)
            }
        }
    }

    /// Whether fan-out would release more things, stop the rollout or send the message of a broadcast with these
    /// counts.
    pub fn is_unblocked_by(&self, command: &Command, fleet: &Fleet, counts: &Counts, now: Timestamp) -> bool {
        let releases = || {
            let step = self.rollout_step(fleet, counts, now);
            // A step of the rate comes by its own message: another one would cost writes, and release nothing.
            let has_wake = step.rate.is_some() && self.step_wakes.is_some_and(|sent| sent.until > now);
            step.halt.is_some() || step.released > self.progress.released && !has_wake
        };
        command.control.is_running()
            && (self.broadcast_readiness(command, fleet, Some(counts), now) == BroadcastReadiness::Ready
                || self.has_unreleased(fleet) && releases())
    }

    fn release_action<'a>(
        &self,
        command: &Command,
        fleet: &Fleet,
        counts: &Counts,
        now: Timestamp,
    ) -> Option<PlanAction<'a>> {
        let step = self.rollout_step(fleet, counts, now);
        if step.released > self.progress.released {
            // Outcomes that the counts know decide before more things are released, whether or not tally-command has
            // come to it.
            let actor = Actor::function("fan-out-command");
            let stop = fleet.abort_control(&command.control, Some(self), counts, actor, now);
            return Some(stop.map_or(PlanAction::Release(step), PlanAction::Stop));
        }
        match step.halt {
            // How many things are not released is known once the whole target is read.
            Some(RolloutHalt::NotAfterPassed { .. }) if !self.complete => None,
            Some(halt @ RolloutHalt::NotAfterPassed { .. }) => Some(PlanAction::Close { note: halt.to_string() }),
            Some(halt @ RolloutHalt::TooFewSucceeded { .. }) => Some(PlanAction::Pause { reason: halt.to_string() }),
            None if self.complete => self.wait_action(fleet, &step, now),
            None => None,
        }
    }

    /// What is left to do for a plan that waits for time: wakes for its next steps, or another due entry.
    fn wait_action<'a>(&self, fleet: &Fleet, step: &RolloutStep, now: Timestamp) -> Option<PlanAction<'a>> {
        let due_at = Some(self.due_while_waiting(step, now)?);
        let (next, wakes) = self.next(|plan| Self { due_at, ..plan }).with_step_wakes(fleet, step, now);
        if !wakes.is_empty() {
            return Some(PlanAction::AwaitStep(Box::new(next), wakes));
        }
        (self.due_at != due_at).then(|| PlanAction::Reschedule(Box::new(next)))
    }

    /// Removes the due entry if the plan waits for nothing, and renews it if it has come up. A change of control wakes
    /// the plan of a paused or canceled command.
    fn due_action<'a>(&self, waits: bool, now: Timestamp) -> PlanAction<'a> {
        match self.due_at {
            Some(_) if !waits => PlanAction::Reschedule(Box::new(self.idle())),
            Some(due) if due <= now.as_seconds() => PlanAction::Reschedule(Box::new(self.mark_ready(now))),
            _ => PlanAction::Idle,
        }
    }
}
