//! Everything that there is at one time: the table, the queue of the lane, the shadow, the messages, the handlers and the device.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use domain::{Change, DueEntry, Execution, ExecutionId, Queue, Report, ShadowRoute, Via};

use super::{
    device::Device,
    handler::Handler,
    rules,
    scenario::{BORN, Scenario, at, thing},
    shadow::Shadow,
    wishes::Shown,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Seconds since the beginning.
    pub now: i64,
    /// The table: an execution for each command that was asked for.
    pub rows: Vec<Option<Row>>,
    pub queue: Queue,
    pub shadow: Shadow,
    pub handlers: Vec<Handler>,
    /// On their way to the device, and from it: in any order, and for as long as it takes. What never arrives was lost.
    pub down: Vec<Down>,
    pub up: Vec<Said>,
    pub shown: Vec<Shown>,
    /// What the device knows of each execution.
    pub devices: Vec<Device>,
    /// What has gone out of each.
    pub sent: Vec<Sent>,
    /// How many reconcilers have found each row at this time.
    pub looked: Vec<u8>,
    /// Since when each row was due, or will be.
    pub due: Vec<i64>,
    pub mishaps: u8,
    pub crashes: u8,
    pub cancels: u8,
    pub repeats: u8,
    pub returns: u8,
    /// What must never happen, and has.
    pub broken: Option<&'static str>,
}

/// A row as it was at one time. It is hashed once, since worlds are compared by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Arc<(u64, Execution)>);

impl Row {
    pub fn new(mut row: Execution) -> Self {
        // History that nothing depends on would only tell worlds apart that are the same: how attempts ended counts.
        row.steps.retain(|step| step.via.is_none() && step.attempt < row.attempt);
        row.steps.iter_mut().for_each(|step| step.at = BORN);
        let mut hasher = DefaultHasher::new();
        row.hash(&mut hasher);
        Self(Arc::new((hasher.finish(), row)))
    }
}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.0);
    }
}

impl Deref for Row {
    type Target = Execution;

    fn deref(&self) -> &Execution {
        &self.0.1
    }
}

/// A message to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Down {
    Request { n: usize, attempt: u16, expires_at: i64 },
    Cancel { n: usize, attempt: u16 },
}

/// A message from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said {
    pub n: usize,
    pub attempt: u16,
    pub word: Word,
    /// When it arrived, once it has.
    pub at: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    Running(u8),
    Succeeded,
    Failed,
    Rejected,
}

/// What has gone out of an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sent {
    pub attempt: u16,
    /// Someone has tried to send this attempt, whatever came of it.
    pub tried: u16,
    /// How often it has gone out.
    pub times: u8,
    /// Someone has died with the request in hand, so it may go out again.
    pub unsure: bool,
    /// It was put into the shadow by someone who was slow.
    pub slow: bool,
    /// It was there when the one before it, in its lane, had not ended.
    pub behind: bool,
    /// The attempts whose failure, by the device's word, has counted, one bit each.
    pub failed: u8,
    /// Whether a beat that says nothing new was written.
    pub beaten: bool,
}

impl Said {
    /// The report, through the message that it is sent in.
    pub fn report(&self, scenario: &Scenario) -> Report {
        let key = scenario.commands[self.n].key_at(&thing());
        if matches!(scenario.via, Via::Shadow(ShadowRoute::State(_))) {
            return Report::of_state(key, self.attempt);
        }
        let (word, seq) = match self.word {
            Word::Running(seq) => ("IN_PROGRESS", seq),
            Word::Succeeded => ("SUCCEEDED", 0),
            Word::Failed => ("FAILED", 0),
            Word::Rejected => ("REJECTED", 0),
        };
        let text =
            format!(r#"{{"executionId":"{}","attempt":{},"status":"{word}","seq":{seq}}}"#, key.id, self.attempt);
        Report::decode("cmd/pump-7/resp", text.as_bytes()).unwrap()
    }
}

impl World {
    pub fn new(scenario: &Scenario) -> Self {
        let all = scenario.commands.len();
        let mut world = Self {
            now: 0,
            rows: vec![None; all],
            queue: Queue::default(),
            shadow: Shadow::default(),
            handlers: Vec::new(),
            down: Vec::new(),
            up: Vec::new(),
            shown: Vec::new(),
            devices: vec![Device::default(); all],
            sent: vec![Sent::default(); all],
            looked: vec![0; all],
            due: vec![i64::MAX; all],
            mishaps: scenario.mishaps,
            crashes: 0,
            cancels: scenario.cancels,
            repeats: scenario.repeats,
            returns: scenario.returns,
            broken: None,
        };
        world.create(scenario, 0);
        world
    }

    /// The n-th command is asked for: its row is stored, and whoever did that is about to go on.
    pub fn create(&mut self, scenario: &Scenario, n: usize) {
        let row = Row::new(scenario.create(n, self.now));
        self.rows[n] = Some(row.clone());
        self.note_due(n, &row);
        self.handlers.push(Handler::creating(n, row, self.now));
    }

    pub fn row(&self, n: usize) -> Row {
        self.rows[n].clone().unwrap()
    }

    /// Which one has this id.
    pub fn named(&self, id: &ExecutionId) -> Option<usize> {
        self.rows.iter().position(|row| row.as_ref().is_some_and(|row| row.key.id == *id))
    }

    /// Writes on condition what was decided at that time; the row as it is then, and whether it was written.
    pub fn write(&mut self, n: usize, change: &Change, since: i64) -> (Row, bool) {
        let before = self.row(n);
        let Some(after) = before.apply(change) else { return (before, false) };
        self.break_rule(rules::of_change(&before, &after, at(since)));
        if after.due_at != before.due_at || matches!(change.due, DueEntry::At(_)) {
            self.note_due(n, &after);
        }
        let after = Row::new(after);
        self.rows[n] = Some(after.clone());
        (after, true)
    }

    fn note_due(&mut self, n: usize, row: &Execution) {
        self.due[n] = row.due_at.map_or(i64::MAX, |due| self.now.max(due - BORN.as_seconds()));
    }

    pub fn break_rule(&mut self, rule: Option<&'static str>) {
        self.broken = self.broken.or(rule);
    }

    /// A multiset has no order.
    pub fn sort(&mut self) {
        self.up.sort_unstable();
        self.down.sort_unstable();
        self.shown.sort_unstable();
        self.handlers.sort_by_cached_key(Handler::order);
    }

    pub fn has_room(&self, scenario: &Scenario) -> bool {
        self.handlers.len() < scenario.handlers
    }
}
