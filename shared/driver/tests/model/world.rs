//! The state of everything at one time: the table, the lane, the shadow, the messages, the handlers and the device.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use domain::{AttemptSteps, Change, DeliveryStatus, DueEntry, Execution, ExecutionId, LaneQueue};

use super::{
    change_rules,
    desired_states::ReportedState,
    device::Device,
    event::Event,
    messages::{ReportMessage, ToDevice, WakeMessage},
    node::Node,
    scenario::{CREATED_AT, STEP, Scenario},
    shadow::{LateWrite, Shadow},
};

/// A handler in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handler {
    /// When it was started. Its event may be older.
    pub started: i64,
    /// When it made its next call; of a handler whose clock stands, when it was started.
    pub asked: i64,
    pub node: Arc<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Seconds since the creation of the first command.
    pub now: i64,
    /// The tables: when each command was stored, and its execution.
    pub commands: Vec<Option<i64>>,
    pub rows: Vec<Option<Row>>,
    pub queue: LaneQueue,
    /// Whether an execution found no room in the queue; only checks of what is reached read it.
    pub was_full: bool,
    pub shadow: Shadow,
    /// A write that its caller has given up, and that AWS applies later.
    pub late_write: Option<LateWrite>,
    pub handlers: Vec<Handler>,
    /// Since when the device is connected; none if it is not.
    pub online_since: Option<i64>,
    /// The events of its connects on their way, each with its time.
    pub online_events: Vec<i64>,
    /// Messages on their way arrive in any order, after any time. A message that never arrives is lost.
    pub to_device: Vec<ToDevice>,
    pub reports: Vec<ReportMessage>,
    pub reported_states: Vec<ReportedState>,
    pub wakes: Vec<WakeMessage>,
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
    pub withdrawals: u8,
    pub repeats: u8,
    pub connects: u8,
    pub echoes: u8,
    /// The handlers that have crashed or failed.
    pub crashes: u8,
    /// The first broken rule.
    pub violation: Option<&'static str>,
}

/// A row with its hash, which is computed once, since worlds are compared by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Arc<RowInTable>);

#[derive(Debug, PartialEq, Eq)]
struct RowInTable {
    row: Execution,
    hash: u64,
    /// The nonces of its creator and its last claim, one bit each.
    nonces: u64,
}

impl Row {
    pub fn new(mut row: Execution) -> Self {
        // Only the failures of earlier attempts have an effect: other entries would tell apart worlds that are equal.
        row.history.retain(|entry| DeliveryStatus::parse(&entry.event).is_err() && entry.attempt < row.attempt);
        for entry in &mut row.history {
            (entry.at, entry.channel, entry.steps) = (CREATED_AT, None, AttemptSteps::default());
        }
        let mut hasher = DefaultHasher::new();
        row.hash(&mut hasher);
        let claim = row.claim.as_deref().and_then(nonce_of);
        let creator = row.creator.as_ref().and_then(|creator| bit(creator.as_str().get(8..)?));
        let nonces = claim.unwrap_or(0) | creator.unwrap_or(0);
        Self(Arc::new(RowInTable { row, hash: hasher.finish(), nonces }))
    }

    pub fn to_execution(&self) -> Execution {
        self.0.row.clone()
    }

    pub fn nonces(&self) -> u64 {
        self.0.nonces
    }
}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl Deref for Row {
    type Target = Execution;

    fn deref(&self) -> &Execution {
        &self.0.row
    }
}

/// The nonce of a claim, as one bit.
pub fn nonce_of(token: &str) -> Option<u64> {
    token.split_once('/').and_then(|(_, nonce)| bit(nonce))
}

fn bit(hexadecimal: &str) -> Option<u64> {
    u64::from_str_radix(hexadecimal, 16).ok().map(|nonce| 1 << nonce)
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
    /// The attempt of the last one, and until when it may still arrive, where its result is unknown.
    pub may_arrive: Option<(u16, i64)>,
    /// When the last one was claimed, and when a claim was written last, if the clocks of handlers go on.
    pub claimed_at: Option<i64>,
    pub claim_written_at: Option<i64>,
    /// The last claim took so long that it was not used.
    pub unused_claim: bool,
    /// Its device was notified of a cancel.
    pub notified: bool,
    /// The attempts with a failure report that was applied, one bit each.
    pub failed: u8,
    /// Whether a heartbeat that increases no progress was applied.
    pub heartbeat_only: bool,
}

impl World {
    pub fn new(scenario: &Scenario) -> Self {
        let all = scenario.setting.commands.len();
        Self {
            now: 0,
            commands: vec![None; all],
            rows: vec![None; all],
            queue: LaneQueue::default(),
            was_full: false,
            shadow: Shadow { version: scenario.fallback_shadow.is_some().into(), ..Shadow::default() },
            late_write: None,
            handlers: Vec::new(),
            online_since: (!scenario.offline).then_some(-STEP),
            online_events: Vec::new(),
            wakes: Vec::new(),
            to_device: Vec::new(),
            reports: Vec::new(),
            reported_states: Vec::new(),
            devices: vec![Device::default(); all],
            sent: vec![SentRecord::default(); all],
            reconciled: vec![0; all],
            due: vec![i64::MAX; all],
            faults: scenario.faults,
            cancels: scenario.cancels,
            withdrawals: scenario.withdrawals,
            repeats: scenario.repeats,
            connects: scenario.connects,
            echoes: scenario.echoes,
            crashes: 0,
            violation: None,
        }
    }

    /// The row of the n-th execution; none if it is not stored.
    pub fn stored(&self, n: usize) -> Option<&Row> {
        self.rows[n].as_ref()
    }

    /// The row of the first execution.
    pub fn first(&self) -> Row {
        self.row(0)
    }

    pub fn row(&self, n: usize) -> Row {
        self.rows[n].clone().unwrap()
    }

    /// The index of the execution with this id.
    pub fn index_of(&self, id: &ExecutionId) -> Option<usize> {
        self.rows.iter().position(|row| row.as_ref().is_some_and(|row| row.key.id == *id))
    }

    /// Stores a new row.
    pub fn put(&mut self, n: usize, row: &Execution) {
        self.note_due(n, row);
        self.rows[n] = Some(Row::new(row.clone()));
    }

    /// Writes a change that a handler of this event has decided on its condition; the row after it, and whether it was
    /// written.
    pub fn write(&mut self, n: usize, change: &Change, event: &Event) -> (Row, bool) {
        let before = self.row(n);
        let Some(after) = before.apply(change) else { return (before, false) };
        self.report_violation(change_rules::violation(&before, &after, event));
        if after.due_at != before.due_at || matches!(change.due, DueEntry::At(_)) {
            self.note_due(n, &after);
        }
        let after = Row::new(after);
        self.rows[n] = Some(after.clone());
        (after, true)
    }

    /// A reconciler leaves the rest to the next tick where its write is lost to another handler, or it is slow.
    pub fn note_reconciled(&mut self, n: usize, at: i64) {
        self.due[n] = self.due[n].max(at);
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
        self.online_events.sort_unstable();
        // The wake of an entry that has moved does nothing.
        let rows = &self.rows;
        self.wakes.retain(|wake| rows[wake.n].as_ref().is_some_and(|row| row.due_at == Some(wake.due)));
        self.wakes.sort_unstable();
        self.handlers.sort_unstable_by_key(|handler| (handler.node.order(), handler.started, handler.asked));
    }

    pub fn has_room(&self, scenario: &Scenario) -> bool {
        self.handlers.len() < scenario.max_handlers
    }
}
