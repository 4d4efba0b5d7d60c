//! One command at one thing: the row, as values, and what it says at a given time.

use crate::{
    Attempt, Command, CommandId, CommandName, Delivery, DeliveryStatus, ExecutionId, Progress, Rank, Reason,
    ReasonCode, ReportResult, Status, ThingName, Timestamp,
};

/// Thirty days after its last deadline, nobody asks for an execution any more.
pub(crate) const RETENTION: u32 = 30 * 24 * 3600;

/// Which row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The thing.
    pub thing: ThingName,
    /// The execution.
    pub id: ExecutionId,
}

impl Key {
    /// The execution of this command at this thing.
    pub fn of(command: &CommandId, thing: &ThingName) -> Self {
        Self { thing: thing.clone(), id: ExecutionId::of(command, thing) }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.thing, self.id)
    }
}

/// One command at one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Which.
    pub key: Key,
    /// Of which command.
    pub command: CommandId,
    /// The command's name.
    pub name: CommandName,
    /// How far it has come: the number that guards every write.
    pub progress: Progress,
    /// The same in words.
    pub status: Status,
    /// How far its request has come.
    pub delivery_status: DeliveryStatus,
    /// The attempt that is under way.
    pub attempt: Attempt,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Must have started by.
    pub start_by: Timestamp,
    /// Must have finished by.
    pub finish_by: Timestamp,
    /// Must be heard of this often, in seconds, while it runs.
    pub heartbeat: Option<u32>,
    /// When the device was known to have the request.
    pub delivered_at: Option<Timestamp>,
    /// When the device said that it had begun.
    pub started_at: Option<Timestamp>,
    /// When the device was last heard of.
    pub heard_at: Option<Timestamp>,
    /// The cloud's guess.
    pub verdict: Option<Verdict>,
    /// The device's own word.
    pub outcome: Option<Outcome>,
    /// When it has to be looked at again, in whole seconds; none when nothing is owed.
    pub due_at: Option<i64>,
    /// When it may be forgotten.
    pub purge_at: Timestamp,
}

/// That the cloud has given up, why and when. A device may still correct it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// How it ended, by the device's own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The device's reason.
    pub code: Option<ReasonCode>,
    /// The same for people.
    pub description: Option<String>,
    /// What came of it.
    pub result: Option<ReportResult>,
    /// When the report arrived.
    pub at: Timestamp,
}

impl Execution {
    /// The row that is stored before anything is sent. One that goes to a topic is born SENT: it is published right after,
    /// and a write for that would double the cost of the commonest case. Only a publish that fails is written.
    pub fn create(command: &Command) -> Self {
        let start_by = command.start_by();
        Self {
            key: command.key(),
            command: command.id.clone(),
            name: command.definition.name.clone(),
            progress: Progress::new(1, Rank::Created, 0),
            status: Status::Created,
            delivery_status: match command.definition.delivery {
                Delivery::Topic => DeliveryStatus::Sent,
                Delivery::Direct | Delivery::Auto => DeliveryStatus::Pending,
            },
            attempt: 1,
            created_at: command.created_at,
            start_by,
            finish_by: command.finish_by(),
            heartbeat: command.definition.deadlines.heartbeat(),
            delivered_at: None,
            started_at: None,
            heard_at: None,
            verdict: None,
            outcome: None,
            due_at: Some(start_by.as_seconds_rounded_up()),
            purge_at: command.purge_at(),
        }
    }

    /// What is true at this time: past a deadline it has timed out, whether or not anyone has written so yet.
    pub fn observe(&self, now: Timestamp) -> Self {
        let mut seen = self.clone();
        if let Some(verdict) = self.overdue(now) {
            seen.status = verdict.reason.status();
            seen.verdict = Some(verdict);
        }
        seen
    }

    /// Whether nothing is awaited any more.
    pub fn is_terminal(&self) -> bool {
        !matches!(self.status, Status::Created | Status::InProgress)
    }

    /// Whether the device's own word came after the cloud had given up, or had reason to.
    pub fn is_late(&self) -> bool {
        let Some(outcome) = &self.outcome else { return false };
        let in_time = match self.started_at {
            Some(started) => started < self.start_by && outcome.at < self.finish_by,
            None => outcome.at < self.start_by,
        };
        self.verdict.is_some() || !in_time
    }

    /// Whether the request should go out when it is asked for again: the device is known not to have it.
    pub fn is_undelivered(&self, now: Timestamp) -> bool {
        self.progress.within(Rank::Created)
            && matches!(self.delivery_status, DeliveryStatus::Pending | DeliveryStatus::Queued)
            && self.overdue(now).is_none()
    }

    /// The verdict that this time calls for, from the instant at which its deadline passed.
    pub(crate) fn overdue(&self, now: Timestamp) -> Option<Verdict> {
        let next = self.next_deadline();
        (!self.is_terminal() && next.at <= now).then_some(next)
    }

    /// What happens next if nothing is heard.
    pub(crate) fn next_deadline(&self) -> Verdict {
        // Three silent intervals, not one: a single lost or late beat is no reason to give a device up.
        let silent = |heartbeat: u32, heard: Timestamp| heard.plus_seconds(heartbeat.saturating_mul(3));
        match (self.status, self.heartbeat, self.heard_at) {
            (Status::Created, ..) => Verdict { reason: Reason::Expired, at: self.start_by },
            (_, Some(heartbeat), Some(heard)) if silent(heartbeat, heard) < self.finish_by => {
                Verdict { reason: Reason::HeartbeatLost, at: silent(heartbeat, heard) }
            }
            _ => Verdict { reason: Reason::ExecutionTimeout, at: self.finish_by },
        }
    }
}
