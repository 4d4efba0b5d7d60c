//! An invocation of the dispatcher that processes the batch, one outside call after the other.

use std::sync::LazyLock;

use domain::{
    Actor, Batch, BatchProgress, Command, CommandId, CommandName, Control, ControlState, Deadlines, Definition,
    Delivery, Fingerprint, RequestForm, Target, ThingName, Timestamp,
};

use super::world::{CREATED_AT, World};

/// Longer than the time of the model: sent executions are not monitored within it.
const TTL_SECONDS: i64 = 3600;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Worker {
    pub phase: Phase,
    /// The end of its claim: it does not run any longer.
    pub until: Option<Timestamp>,
}

/// The next call of a worker, with what it has read before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    #[default]
    Idle,
    /// Reads the batch.
    ReadBatch,
    /// Claims the batch that it has read.
    Claim(Batch),
    /// Reads the command. `control` is the control at the time of the claim.
    ReadCommand { batch: Batch, may_have_executions: bool, control: Control },
    /// Does what is to be done. `known` is the control that it has read.
    Process { batch: Batch, may_have_executions: bool, known: Control, control: Control },
    /// Writes what it has done.
    WriteProgress { batch: Batch, progress: BatchProgress },
    /// Reads the command and the batch again, since it put the batch on hold.
    CheckHold,
    /// Marks the batch ready, since the command was resumed meanwhile.
    EndHold(Batch),
}

/// A command for one thing: its target does not matter here. Made once: the check goes through a million states.
pub static COMMAND: LazyLock<Command> = LazyLock::new(|| Command {
    id: CommandId::from_request(CREATED_AT, "request"),
    definition: Definition {
        name: CommandName::parse("reboot").unwrap(),
        payload: None,
        form: RequestForm::default(),
        target: Target::Thing(ThingName::parse("pump-7").unwrap()),
        delivery: Delivery::Topic,
        shadow: None,
        deadlines: Deadlines::new(Some(TTL_SECONDS), None, None).unwrap(),
        retry: None,
        lane: None,
        supersede: false,
    },
    created_at: CREATED_AT,
    created_by: Actor::caller("operator"),
    fingerprint: Fingerprint::from_stored("fingerprint"),
    control: Control::default(),
    audit: Vec::new(),
});

impl Worker {
    /// Whether it may be storing and sending executions.
    pub fn has_claim(&self) -> bool {
        matches!(self.phase, Phase::ReadCommand { .. } | Phase::Process { .. } | Phase::WriteProgress { .. })
    }
}

impl World {
    /// The next call of a worker. `fails`: the last thing cannot be stored.
    pub fn step_worker(&mut self, n: usize, fails: bool) {
        let token = format!("worker {n}");
        let phase = std::mem::take(&mut self.workers[n].phase);
        let next = match phase {
            Phase::Idle => Phase::Idle,
            Phase::ReadBatch => Phase::Claim(self.batch.clone()),
            Phase::Claim(batch) => match batch.claim(self.now(), &token) {
                None => Phase::Idle,
                Some(claimed) if self.write(claimed.clone()) => {
                    self.workers[n].until = claimed.claim.as_ref().map(|claim| claim.until);
                    let may_have_executions = batch.may_have_executions();
                    Phase::ReadCommand { batch: claimed, may_have_executions, control: self.control.clone() }
                }
                Some(_) => Phase::ReadBatch,
            },
            Phase::ReadCommand { batch, may_have_executions, control } => {
                Phase::Process { batch, may_have_executions, known: self.control.clone(), control }
            }
            Phase::Process { batch, may_have_executions, known, control } => Phase::WriteProgress {
                progress: self.process(&batch, may_have_executions, &known, &control, fails),
                batch,
            },
            Phase::WriteProgress { batch, progress } => {
                if self.write(batch.with_progress(&progress, self.now())) {
                    if progress.held { Phase::CheckHold } else { Phase::Idle }
                } else if self.batch.is_claimed_by(&token) {
                    Phase::WriteProgress { batch: self.batch.clone(), progress }
                } else {
                    Phase::Idle
                }
            }
            Phase::CheckHold if self.control.state == ControlState::Paused => Phase::Idle,
            Phase::CheckHold => Phase::EndHold(self.batch.clone()),
            Phase::EndHold(batch) => {
                // The control was not paused when the worker read it. It may be paused again now.
                let known = Control::default();
                match batch.mark_ready_after_hold(&known, self.now()) {
                    Some(ready) if !self.write(ready.clone()) => Phase::EndHold(self.batch.clone()),
                    _ => Phase::Idle,
                }
            }
        };
        let worker = &mut self.workers[n];
        if next == Phase::Idle {
            worker.until = None;
        }
        worker.phase = next;
    }

    /// `known`: the control that the worker has read; `control`: the control when it claimed the batch.
    fn process(
        &mut self,
        batch: &Batch,
        may_have_executions: bool,
        known: &Control,
        control: &Control,
        fails: bool,
    ) -> BatchProgress {
        let actions = batch.actions(known, may_have_executions, self.now());
        let mut progress = BatchProgress { held: actions.hold, ..BatchProgress::default() };
        self.was_held |= actions.hold;
        progress.canceled_generation = actions.record_cancel.then_some(known.generation);
        if actions.send {
            self.sent_after_cancel |= control.is_canceled();
            self.sent_after_pause |= control.is_paused() && known.generation == control.generation;
            let places = batch.unsent_places();
            for place in &places {
                if fails && places.last() == Some(place) {
                    progress.retry_places.push(*place);
                } else {
                    self.sent[usize::from(*place)] += 1;
                }
            }
            progress.done = Some(batch.allowed);
        }
        // Executions that are canceled or monitored end at once.
        progress.monitor_at = batch.monitor_after(&COMMAND, actions, may_have_executions, None, self.now());
        progress
    }
}
