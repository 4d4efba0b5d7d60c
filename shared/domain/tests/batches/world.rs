//! The state of the model, and every possible next step.

use std::hash::{Hash, Hasher};

use domain::{Actor, Batch, Control, ControlState, Reason, Timestamp};

use super::worker::{Phase, Worker};

/// When the batch is stored.
pub const CREATED_AT: Timestamp = Timestamp::from_seconds(1_700_000_000);
/// Seconds of one step of the clock.
const STEP_SECONDS: u32 = 30;
/// Steps of the clock during which events happen.
const MAX_STEPS: u16 = 2;
/// Things of the batch.
pub const THINGS: u16 = 2;

/// The batch, and how many crashes and changes of control may happen.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub crashes: u8,
    pub changes: u8,
    /// Whether the batch is released when it is stored; otherwise its things are released one by one.
    pub is_released: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    pub step: u16,
    pub batch: Batch,
    pub control: Control,
    /// Whether a record of the stream with the batch as ready has not been delivered yet.
    pub has_record: bool,
    pub workers: [Worker; 2],
    /// A propagation of a change of control that has not reached the batch, with the batch if it has read it.
    pub propagation: Option<Option<Batch>>,
    /// Things that are not released yet.
    pub unreleased: u16,
    /// How many times each thing was sent.
    pub sent: [u8; THINGS as usize],
    /// Crashes that may still happen.
    pub crashes: u8,
    /// Workers that crashed or whose claim ended.
    pub crashed_workers: u8,
    /// Changes of control that may still happen.
    pub changes: u8,
    pub was_held: bool,
    pub sent_after_cancel: bool,
    pub sent_after_pause: bool,
}

/// The revision matters only as a difference: states that differ in nothing else are the same.
impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let newest = self.batch.revision;
        let hash = |batch: &Batch, state: &mut H| {
            (newest - batch.revision).min(1).hash(state);
            Batch { revision: 0, ..batch.clone() }.hash(state);
        };
        hash(&self.batch, state);
        for worker in &self.workers {
            worker.until.hash(state);
            std::mem::discriminant(&worker.phase).hash(state);
            match &worker.phase {
                Phase::Idle | Phase::ReadBatch | Phase::CheckHold => {}
                Phase::Claim(batch) | Phase::EndHold(batch) => hash(batch, state),
                Phase::ReadCommand { batch, may_have_executions, control } => {
                    hash(batch, state);
                    (may_have_executions, control).hash(state);
                }
                Phase::Process { batch, may_have_executions, known, control } => {
                    hash(batch, state);
                    (may_have_executions, known, control).hash(state);
                }
                Phase::WriteProgress { batch, progress } => {
                    hash(batch, state);
                    progress.hash(state);
                }
            }
        }
        std::mem::discriminant(&self.propagation).hash(state);
        if let Some(read) = &self.propagation {
            std::mem::discriminant(read).hash(state);
            if let Some(batch) = read {
                hash(batch, state);
            }
        }
        (self.step, &self.control, self.has_record, self.unreleased, self.sent, self.crashes).hash(state);
        (self.crashed_workers, self.changes).hash(state);
        (self.was_held, self.sent_after_cancel, self.sent_after_pause).hash(state);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A record of the stream is delivered to this worker.
    DeliverRecord(usize),
    /// This worker makes its next call.
    Step(usize),
    /// This worker makes its next call, and one thing cannot be stored.
    StepAndFail(usize),
    /// This worker crashes.
    Crash(usize),
    /// The clock advances.
    PassTime,
    /// The reconciler finds the batch due, and marks it ready.
    Reconcile,
    /// The control of the command changes.
    ChangeControl(ControlState),
    /// The propagation of a change of control makes its next call.
    Propagate,
    /// One more thing is released.
    Release,
}

impl World {
    pub fn new(scenario: &Scenario) -> Self {
        let batch = Batch::new(&super::worker::COMMAND, 0, THINGS, scenario.is_released, CREATED_AT);
        Self {
            step: 0,
            has_record: batch.ready,
            batch,
            control: Control::default(),
            workers: [Worker::default(), Worker::default()],
            propagation: None,
            unreleased: if scenario.is_released { 0 } else { THINGS },
            sent: [0; THINGS as usize],
            crashes: scenario.crashes,
            crashed_workers: 0,
            changes: scenario.changes,
            was_held: false,
            sent_after_cancel: false,
            sent_after_pause: false,
        }
    }

    pub fn now(&self) -> Timestamp {
        CREATED_AT.plus_seconds(u32::from(self.step) * STEP_SECONDS)
    }

    /// How many workers may be storing and sending executions.
    pub fn claimed_workers(&self) -> usize {
        self.workers.iter().filter(|worker| worker.has_claim()).count()
    }

    pub fn actions(&self, actions: &mut Vec<Action>) {
        for (n, worker) in self.workers.iter().enumerate() {
            if worker.phase == Phase::Idle {
                actions.extend(self.has_record.then_some(Action::DeliverRecord(n)));
            } else {
                actions.extend([Action::Step(n)]);
                actions.extend((self.crashes > 0).then_some(Action::Crash(n)));
                let may_fail = self.crashes > 0 && matches!(worker.phase, Phase::Process { .. });
                actions.extend(may_fail.then_some(Action::StepAndFail(n)));
            }
        }
        actions.extend((self.step < MAX_STEPS).then_some(Action::PassTime));
        actions.extend(self.is_due().then_some(Action::Reconcile));
        actions.extend(self.propagation.is_some().then_some(Action::Propagate));
        actions.extend((self.unreleased > 0).then_some(Action::Release));
        if self.changes > 0 {
            let cancel = ControlState::Canceled { force: false, reason: Reason::CanceledByOperator };
            actions.extend([ControlState::Running, ControlState::Paused, cancel].map(Action::ChangeControl));
        }
    }

    /// Does nothing if the batch is never due.
    pub fn pass_time_until_due(&mut self) {
        while self.batch.due_at.is_some() && !self.is_due() {
            self.pass_time();
        }
    }

    pub fn is_due(&self) -> bool {
        self.batch.due_at.is_some_and(|due| due <= self.now().as_seconds())
    }

    pub fn act(&mut self, action: Action) {
        match action {
            Action::DeliverRecord(n) => {
                self.has_record = false;
                self.workers[n].phase = Phase::ReadBatch;
            }
            Action::Step(n) => self.step_worker(n, false),
            Action::StepAndFail(n) => {
                self.crashes -= 1;
                self.step_worker(n, true);
            }
            Action::Crash(n) => {
                self.crashes -= 1;
                self.crashed_workers += 1;
                self.workers[n] = Worker::default();
            }
            Action::PassTime => self.pass_time(),
            Action::Reconcile => {
                let ready = self.batch.mark_ready(self.now());
                self.write(ready);
            }
            Action::ChangeControl(state) => self.change_control(state),
            Action::Propagate => self.propagate(),
            Action::Release => {
                let allowed = THINGS - self.unreleased + 1;
                self.unreleased -= 1;
                if let Some(released) = self.batch.release(allowed, self.now()) {
                    self.write(released);
                }
            }
        }
    }

    /// Advances the clock. No invocation runs longer than its claim.
    pub fn pass_time(&mut self) {
        self.step += 1;
        let now = self.now();
        for worker in &mut self.workers {
            if worker.until.is_some_and(|until| until <= now) {
                *worker = Worker::default();
                self.crashed_workers += 1;
            }
        }
    }

    pub fn change_control(&mut self, state: ControlState) {
        if let Ok(next) = self.control.change_to(state, self.now(), Actor::caller("operator"), None) {
            self.control = next;
            self.changes = self.changes.saturating_sub(1);
            self.propagation = Some(None);
        }
    }

    /// Reads the batch, and then marks it ready; after a conflict it starts again.
    pub fn propagate(&mut self) {
        match self.propagation.take() {
            Some(None) => {
                let is_concerned = self.batch.mark_ready_after(&self.control, self.now()).is_some();
                self.propagation = is_concerned.then(|| Some(self.batch.clone()));
            }
            Some(Some(read)) => {
                let ready = read.mark_ready(self.now());
                if !self.write(ready) {
                    self.propagation = Some(None);
                }
            }
            None => {}
        }
    }

    /// The conditional write of the table.
    pub fn write(&mut self, next: Batch) -> bool {
        let is_applied = next.revision == self.batch.revision + 1;
        if is_applied {
            self.has_record |= next.ready;
            self.batch = next;
        }
        is_applied
    }
}
