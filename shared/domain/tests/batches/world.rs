//! Everything that there is at one time, and everything that can happen next.

use std::hash::{Hash, Hasher};

use domain::{Batch, By, Control, ControlState, Reason, Timestamp};

use super::worker::{Phase, Worker};

/// When the batch is planned.
const BORN: Timestamp = Timestamp::from_seconds(1_700_000_000);
/// The clock goes on by this many seconds.
const STEP: u32 = 30;
/// And so often.
const STEPS: u16 = 2;
/// So many things are in it.
pub const THINGS: u16 = 2;

/// What is asked for, and what may go wrong.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub crashes: u8,
    /// So often someone changes its command's control.
    pub changes: u8,
    /// Whether all may go out at once; else one by one.
    pub at_once: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    pub step: u16,
    pub batch: Batch,
    pub control: Control,
    /// A record of the stream says that it is ready, and was not handed over.
    pub record: bool,
    pub workers: [Worker; 2],
    /// Someone goes through the batches after a change of control, and has yet to come to this one: what he saw of it, if he has.
    pub walker: Option<Option<Batch>>,
    /// So many may be let go.
    pub letting_go: u16,
    pub begun: [u8; THINGS as usize],
    pub crashes: u8,
    /// So many workers died, of whatever.
    pub died: u8,
    pub changes: u8,
    pub was_held: bool,
    pub sent_after_cancel: bool,
    pub sent_after_pause: bool,
}

/// How often the batch was written says nothing by itself, only who has seen it as it is: so the same in other words is the same.
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
                Phase::Idle | Phase::Called | Phase::Held => {}
                Phase::Read(batch) | Phase::Resumes(batch) => hash(batch, state),
                Phase::Claimed { batch, control } => {
                    hash(batch, state);
                    control.hash(state);
                }
                Phase::Knows { batch, seen, control } => {
                    hash(batch, state);
                    (seen, control).hash(state);
                }
                Phase::Did { batch, work } => {
                    hash(batch, state);
                    work.hash(state);
                }
            }
        }
        std::mem::discriminant(&self.walker).hash(state);
        if let Some(seen) = &self.walker {
            std::mem::discriminant(seen).hash(state);
            if let Some(batch) = seen {
                hash(batch, state);
            }
        }
        (self.step, &self.control, self.record, self.letting_go, self.begun, self.crashes, self.died, self.changes)
            .hash(state);
        (self.was_held, self.sent_after_cancel, self.sent_after_pause).hash(state);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A record is handed over to this worker.
    Deliver(usize),
    /// This worker makes its next call.
    Go(usize),
    /// The same, and one thing can't be stored.
    GoAndFail(usize),
    /// This worker dies.
    Die(usize),
    /// Time goes on.
    Pass,
    /// Somebody finds it due.
    Wake,
    /// Its command's control is changed.
    Change(ControlState),
    /// Whoever goes through the batches after that makes his next call.
    Walk,
    /// One more may go out.
    LetGo,
}

impl World {
    pub fn new(scenario: &Scenario) -> Self {
        let command = super::worker::command(BORN);
        let batch = Batch::new(&command, 0, THINGS, scenario.at_once, BORN);
        Self {
            step: 0,
            record: batch.ready,
            batch,
            control: Control::default(),
            workers: [Worker::default(), Worker::default()],
            walker: None,
            letting_go: if scenario.at_once { 0 } else { THINGS },
            begun: [0; THINGS as usize],
            crashes: scenario.crashes,
            died: 0,
            changes: scenario.changes,
            was_held: false,
            sent_after_cancel: false,
            sent_after_pause: false,
        }
    }

    pub fn now(&self) -> Timestamp {
        BORN.plus_seconds(u32::from(self.step) * STEP)
    }

    /// How many workers may be storing and sending.
    pub fn at_work(&self) -> usize {
        self.workers.iter().filter(|worker| worker.has_claimed()).count()
    }

    pub fn actions(&self, actions: &mut Vec<Action>) {
        for (n, worker) in self.workers.iter().enumerate() {
            if worker.phase == Phase::Idle {
                actions.extend(self.record.then_some(Action::Deliver(n)));
            } else {
                actions.extend([Action::Go(n)]);
                actions.extend((self.crashes > 0).then_some(Action::Die(n)));
                let fails = self.crashes > 0 && matches!(worker.phase, Phase::Knows { .. });
                actions.extend(fails.then_some(Action::GoAndFail(n)));
            }
        }
        actions.extend((self.step < STEPS).then_some(Action::Pass));
        actions.extend(self.is_due().then_some(Action::Wake));
        actions.extend(self.walker.is_some().then_some(Action::Walk));
        actions.extend((self.letting_go > 0).then_some(Action::LetGo));
        if self.changes > 0 {
            let cancel = ControlState::Canceled { force: false, reason: Reason::CanceledByOperator };
            actions.extend([ControlState::Running, ControlState::Paused, cancel].map(Action::Change));
        }
    }

    /// Nothing happens until it is due, if it ever is.
    pub fn pass_until_due(&mut self) {
        while self.batch.due_at.is_some() && !self.is_due() {
            self.pass();
        }
    }

    pub fn is_due(&self) -> bool {
        self.batch.due_at.is_some_and(|due| due <= self.now().as_seconds())
    }

    pub fn act(&mut self, action: Action) {
        match action {
            Action::Deliver(n) => {
                self.record = false;
                self.workers[n].phase = Phase::Called;
            }
            Action::Go(n) => self.go(n, false),
            Action::GoAndFail(n) => {
                self.crashes -= 1;
                self.go(n, true);
            }
            Action::Die(n) => {
                self.crashes -= 1;
                self.died += 1;
                self.workers[n] = Worker::default();
            }
            Action::Pass => self.pass(),
            Action::Wake => {
                let kicked = self.batch.kicked(self.now());
                self.write(kicked);
            }
            Action::Change(state) => self.change(state),
            Action::Walk => self.walk(),
            Action::LetGo => {
                let allowed = THINGS - self.letting_go + 1;
                self.letting_go -= 1;
                if let Some(released) = self.batch.released(allowed, self.now()) {
                    self.write(released);
                }
            }
        }
    }

    /// No function lives as long as its claim.
    pub fn pass(&mut self) {
        self.step += 1;
        let now = self.now();
        for worker in &mut self.workers {
            if worker.until.is_some_and(|until| until <= now) {
                *worker = Worker::default();
                self.died += 1;
            }
        }
    }

    pub fn change(&mut self, state: ControlState) {
        if let Ok(next) = self.control.to(state, self.now(), By::caller("operator"), None) {
            self.control = next;
            self.changes = self.changes.saturating_sub(1);
            self.walker = Some(None);
        }
    }

    /// Looks at the batch, and then tells it, if it is as it was seen; else he looks again.
    pub fn walk(&mut self) {
        match self.walker.take() {
            Some(None) => {
                let concerned = self.batch.is_to_be_called_off(&self.control) || self.batch.is_to_go_out();
                self.walker = concerned.then(|| Some(self.batch.clone()));
            }
            Some(Some(seen)) => {
                let kicked = seen.kicked(self.now());
                if !self.write(kicked) {
                    self.walker = Some(None);
                }
            }
            None => {}
        }
    }

    /// The conditional write of the table.
    pub fn write(&mut self, next: Batch) -> bool {
        let holds = next.revision == self.batch.revision + 1;
        if holds {
            self.record |= next.ready;
            self.batch = next;
        }
        holds
    }
}
