//! One command at one thing: the row, as values, and what it says at a given time.

mod broadcast;
mod create;
mod next;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use create::{RETENTION, in_shadow_until, lane_of, least_time};
pub(crate) use next::{Next, NextStep, silence};

use crate::{
    Attempt, BatchNumber, By, CommandId, CommandName, DeliveryStatus, ExecutionId, Lane, Progress, Rank, Reason,
    ReasonCode, ReportPath, ReportResult, Retry, Status, Step, ThingName, Timestamp, Via,
};

/// No sending is under way longer than this, in seconds, after its row was stored or claimed: whoever needs longer does not begin it.
pub(crate) const SENDING: u32 = 10;

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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// By which way it goes.
    pub via: Via,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: By,
    /// Must have started by.
    pub start_by: Timestamp,
    /// Must have finished by.
    pub finish_by: Timestamp,
    /// Must be heard of this often, in seconds, while it runs.
    pub heartbeat: Option<u32>,
    /// Whether, and when, its device is asked again.
    pub retry: Option<Retry>,
    /// The lane that it was asked for in.
    pub lane: Option<Lane>,
    /// Whether it is still in its lane's queue, or may be: then someone may wait for it.
    pub in_lane: bool,
    /// Whether its request is still in a shadow, or may be: then it has to be removed there.
    pub withdraw: bool,
    /// When its request goes out, if it is to go out later; or again, if nothing is heard of whoever sends it now.
    pub send_at: Option<Timestamp>,
    /// Who was the last to send its request, besides the one who stored it.
    pub claim: Option<String>,
    /// Whether an earlier sending of this attempt may have reached its device: whatever is known of a later one, it may have it.
    pub unsure: bool,
    /// When the request of this attempt went out, or may have.
    pub sent_at: Option<Timestamp>,
    /// When the device was known to have the request.
    pub delivered_at: Option<Timestamp>,
    /// When the device said that it had begun.
    pub started_at: Option<Timestamp>,
    /// When the device was last heard of.
    pub heard_at: Option<Timestamp>,
    /// When the device's heartbeats will have been missing for too long.
    pub silent_at: Option<Timestamp>,
    /// The cloud's guess.
    pub verdict: Option<Verdict>,
    /// The device's own word.
    pub outcome: Option<Outcome>,
    /// What else has happened, in order.
    pub steps: Vec<Step>,
    /// When it has to be looked at again, in whole seconds; none when nothing is owed.
    pub due_at: Option<i64>,
    /// When it may be forgotten.
    pub purge_at: Timestamp,
    /// Which batch of its fleet command it is in, where it is of one.
    pub batch: Option<BatchNumber>,
}

/// That the cloud has given up, why and when. A device may still correct it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// How it ended, by the device's own word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// Which attempt the device answers: a slow one may answer an earlier one than the last.
    pub attempt: Attempt,
    /// The device's reason.
    pub code: Option<ReasonCode>,
    /// The same for people.
    pub description: Option<String>,
    /// What came of it.
    pub result: Option<ReportResult>,
    /// When the report arrived.
    pub at: Timestamp,
    /// By which way.
    pub path: ReportPath,
}

impl Execution {
    /// What is true at this time: past a deadline it has timed out, whether or not anyone has written so yet.
    pub fn observe(&self, now: Timestamp) -> Self {
        let mut seen = self.clone();
        if let Some(verdict) = self.overdue(now) {
            seen.status = verdict.reason.status();
            seen.verdict = Some(verdict);
        }
        seen
    }

    /// After how many seconds without a beat its device is given up; 0 where nobody waits for beats.
    pub fn silence(&self) -> u32 {
        self.heartbeat.map_or(0, silence)
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

    /// Whether it waits for its turn in its lane, or for someone to see that it has come.
    pub fn waits_in_lane(&self) -> bool {
        self.in_lane && self.sent_at.is_none() && self.status == Status::Created
    }

    /// Whether it is to go out again only later: an attempt has come to nothing, or a sending was refused.
    pub fn is_put_off(&self, now: Timestamp) -> bool {
        let tried = self.attempt > 1 || self.progress.seq() > 0;
        tried && self.send_at.is_some_and(|at| at > now)
    }

    /// Whether its request has never gone out.
    pub fn is_undelivered(&self) -> bool {
        self.status == Status::Created && self.attempt == 1 && !self.may_be_out()
    }

    /// Whether its device may have the request of this attempt: whoever sends it may die before it is written how that went.
    pub(crate) fn may_be_out(&self) -> bool {
        let newest = match self.delivery_status {
            DeliveryStatus::Pending => self.sent_at.is_some(),
            DeliveryStatus::Queued => false,
            DeliveryStatus::Sent | DeliveryStatus::Delivered => true,
        };
        self.unsure || newest
    }

    /// Whether it is as it was stored: nobody has written how its delivery went.
    pub fn is_untouched(&self) -> bool {
        self.progress == Progress::new(1, Rank::Created, 0)
    }

    /// Whether the request that stored it may still be sending it.
    pub(crate) fn may_be_under_way(&self, now: Timestamp) -> bool {
        self.is_untouched() && self.sent_at.is_some() && now < self.created_at.plus_seconds(SENDING)
    }

    /// Whether a report that arrived at this time and names no execution may be about this one: it was there already, its
    /// device may have the request and has not ended it, and it could still be at it. One that has expired since counts
    /// too, so that its late report is not taken for another's.
    pub fn may_be_meant(&self, at: Timestamp) -> bool {
        // A device may answer before its delivery is written.
        let held = self.may_be_out() || self.attempt > 1;
        self.created_at <= at && at < self.finish_by && self.outcome.is_none() && held
    }
}
