//! The state of everything at one time: the table, the lane, the shadow, the messages, the handlers and the device.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use domain::{Change, DueEntry, Execution, ExecutionId, LaneQueue};

use super::{
    change_rules,
    desired_states::ReportedState,
    device::Device,
    handler::Handler,
    messages::{ReportMessage, ToDevice},
    scenario::{CREATED_AT, Scenario, at},
    shadow::Shadow,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Seconds since the creation of the first command.
    pub now: i64,
    /// The table: an execution for each command that is created.
    pub rows: Vec<Option<Row>>,
    pub queue: LaneQueue,
    pub shadow: Shadow,
    pub handlers: Vec<Handler>,
    /// Messages on their way arrive in any order, after any time. A message that never arrives is lost.
    pub to_device: Vec<ToDevice>,
    pub reports: Vec<ReportMessage>,
    pub reported_states: Vec<ReportedState>,
    /// What the device knows of each execution.
    pub devices: Vec<Device>,
    /// The sendings of each execution.
    pub sent: Vec<SentRecord>,
    /// The number of reconcilers that have found each row at this time.
    pub reconciled: Vec<u8>,
    /// The time at which each row became due, or will.
    pub due: Vec<i64>,
    /// The faults, cancels, repeated requests and connects that are left.
    pub faults: u8,
    pub cancels: u8,
    pub repeats: u8,
    pub connects: u8,
    /// The handlers that have crashed or failed.
    pub crashes: u8,
    /// The first broken rule.
    pub violation: Option<&'static str>,
}

/// A row with its hash, which is computed once, since worlds are compared by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Arc<(u64, Execution)>);

impl Row {
    pub fn new(mut row: Execution) -> Self {
        // Only the failures of earlier attempts have an effect: other entries would tell apart worlds that are equal.
        row.history.retain(|entry| domain::DeliveryStatus::parse(&entry.event).is_err() && entry.attempt < row.attempt);
        for entry in &mut row.history {
            (entry.at, entry.channel, entry.steps) = (CREATED_AT, None, domain::AttemptSteps::default());
        }
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

/// The sendings of an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SentRecord {
    /// The last attempt that was sent.
    pub attempt: u16,
    /// The last attempt that a handler tried to send, with any result.
    pub tried: u16,
    /// How often requests were sent.
    pub times: u8,
    /// The result of the last sending was not written, so the request may be sent again.
    pub maybe_delivered: bool,
    /// The request was put into the shadow after the time of its handler's event.
    pub slow: bool,
    /// An execution before it in the lane was open when it joined.
    pub behind: bool,
    /// The attempts with a failure report that was applied, one bit each.
    pub failed: u8,
    /// Whether a heartbeat that increases no progress was applied.
    pub heartbeat_only: bool,
}

impl World {
    pub fn new(scenario: &Scenario) -> Self {
        let all = scenario.commands.len();
        let mut world = Self {
            now: 0,
            rows: vec![None; all],
            queue: LaneQueue::default(),
            shadow: Shadow::default(),
            handlers: Vec::new(),
            to_device: Vec::new(),
            reports: Vec::new(),
            reported_states: Vec::new(),
            devices: vec![Device::default(); all],
            sent: vec![SentRecord::default(); all],
            reconciled: vec![0; all],
            due: vec![i64::MAX; all],
            faults: scenario.faults,
            cancels: scenario.cancels,
            repeats: scenario.repeats,
            connects: scenario.connects,
            crashes: 0,
            violation: None,
        };
        world.create(scenario, 0);
        world
    }

    /// Creates the n-th command: its row is stored, and its creator goes on.
    pub fn create(&mut self, scenario: &Scenario, n: usize) {
        let row = Row::new(scenario.create(n, self.now));
        self.rows[n] = Some(row.clone());
        self.note_due(n, &row);
        self.handlers.push(Handler::creating(n, row, self.now));
    }

    pub fn row(&self, n: usize) -> Row {
        self.rows[n].clone().unwrap()
    }

    /// The index of the execution with this id.
    pub fn index_of(&self, id: &ExecutionId) -> Option<usize> {
        self.rows.iter().position(|row| row.as_ref().is_some_and(|row| row.key.id == *id))
    }

    /// Writes a change that was decided at `since` on its condition; the row after it, and whether it was written.
    pub fn write(&mut self, n: usize, change: &Change, since: i64) -> (Row, bool) {
        let before = self.row(n);
        let Some(after) = before.apply(change) else { return (before, false) };
        self.report_violation(change_rules::violation(&before, &after, at(since)));
        if after.due_at != before.due_at || matches!(change.due, DueEntry::At(_)) {
            self.note_due(n, &after);
        }
        let after = Row::new(after);
        self.rows[n] = Some(after.clone());
        (after, true)
    }

    fn note_due(&mut self, n: usize, row: &Execution) {
        self.due[n] = row.due_at.map_or(i64::MAX, |due| self.now.max(due - CREATED_AT.as_seconds()));
    }

    pub fn report_violation(&mut self, rule: Option<&'static str>) {
        self.violation = self.violation.or(rule);
    }

    /// Sorts what has no order, so that equal worlds compare as equal.
    pub fn sort(&mut self) {
        self.reports.sort_unstable();
        self.to_device.sort_unstable();
        self.reported_states.sort_unstable();
        self.handlers.sort_by_cached_key(Handler::order);
    }

    pub fn has_room(&self, scenario: &Scenario) -> bool {
        self.handlers.len() < scenario.max_handlers
    }
}
