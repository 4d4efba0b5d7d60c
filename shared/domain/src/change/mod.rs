//! One conditional write, and what the table's condition decides: the state machine of an execution.
#![doc = include_str!("transitions.md")]

use crate::{
    Attempt, DeliveryStatus, Execution, Key, Lane, Outcome, Progress, ReportPath, Status, Step, Timestamp, Verdict, Via,
};

/// One conditional write. It is written if its guard holds, else it is old news, and nothing to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// Into which row.
    pub key: Key,
    /// Only if.
    pub guard: Guard,
    /// What the row's number becomes.
    pub progress: Progress,
    /// What the row's status becomes.
    pub status: Status,
    /// What its delivery status becomes, where that is known.
    pub delivery_status: Option<DeliveryStatus>,
    /// What else is written.
    pub fact: Fact,
    /// What becomes of its entry in the index of what is due.
    pub due: DueEntry,
    /// What is remembered of it.
    pub step: Option<Step>,
}

/// What has to be true of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// The register grows: the row's number is less than the change's, and the row has come to this attempt, since nobody can
    /// have answered or sent what was never asked. Who says so need not have seen the row.
    Grows {
        /// The attempt.
        attempt: Attempt,
    },
    /// It is still as it was seen: what the cloud decides by itself yields to whatever a device said in between.
    Seen(Seen),
    /// It runs in this attempt, and was not heard of later: a beat that says nothing new, but that the device lives.
    Runs {
        /// The attempt.
        attempt: Attempt,
    },
}

/// What a decision has seen of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// How far it had come.
    pub progress: Progress,
    /// When it was due.
    pub due_at: Option<i64>,
    /// When the device was last heard of.
    pub heard_at: Option<Timestamp>,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Nothing but what the change itself says.
    Nothing,
    /// Someone is about to send the request.
    Claimed(Box<Claim>),
    /// The request went out.
    Sent,
    /// Its device is not there.
    Queued,
    /// It goes another way, and has yet to go out.
    Rerouted(Box<Reroute>),
    /// It waits for its turn in its lane.
    Waits,
    /// The sending failed.
    Unsent {
        /// When it is tried again.
        send_at: Timestamp,
        /// Whether it is known that nobody has got it.
        refused: bool,
    },
    /// The device acknowledged the message.
    Delivered(Timestamp),
    /// The device has begun, or still runs. Only if what reading has shown as ended is not opened by it.
    Heard(Timestamp, ReportPath),
    /// The device has ended it. Only if it has not said so before: its word is final. `withdrawn`: its request is not in a shadow any more.
    Finished {
        /// How.
        outcome: Box<Outcome>,
        /// Whether its request is gone from its shadow.
        withdrawn: bool,
    },
    /// The cloud has given up.
    GaveUp(Verdict),
    /// The attempt has come to nothing; the next one goes out at this time.
    Again {
        /// The next attempt.
        attempt: Attempt,
        /// When.
        send_at: Timestamp,
    },
    /// What was left to do after its end is done.
    Cleared,
}

/// The way that a request goes from now on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reroute {
    /// Which way.
    pub via: Via,
    /// Until when it may begin, by that way.
    pub start_by: Timestamp,
    /// When someone sees to it, if whoever sends it that way does not live to.
    pub send_at: Timestamp,
    /// The lane that it is in, by that way.
    pub lane: Option<Lane>,
}

/// That a request is about to go out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// When.
    pub at: Timestamp,
    /// When it goes out again, if nothing is written of it until then.
    pub send_at: Timestamp,
    /// By which way.
    pub via: Via,
    /// Whether an earlier sending of this attempt may have reached its device.
    pub unsure: bool,
    /// Who claims it, in a word that nobody else has: so that one whose answer was lost knows its own claim again.
    pub token: String,
}

/// What becomes of an entry in the index of what is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DueEntry {
    /// It stays: moving it costs two writes.
    Keep,
    /// It goes.
    Remove,
    /// It is looked at then, in whole seconds.
    At(i64),
}

impl Execution {
    /// What a decision sees of it.
    pub fn seen(&self) -> Seen {
        Seen { progress: self.progress, due_at: self.due_at, heard_at: self.heard_at }
    }

    /// Whether the change's guard holds: what the table's condition decides.
    fn allows(&self, change: &Change) -> bool {
        let grows = |attempt| self.progress < change.progress && self.attempt >= attempt;
        let guard = match change.guard {
            Guard::Grows { attempt } => grows(attempt),
            Guard::Seen(seen) => seen == self.seen(),
            Guard::Runs { attempt } => {
                self.attempt == attempt && self.status == Status::InProgress && self.progress <= change.progress
            }
        };
        let open = match change.fact {
            // A device's word is final: it does not take it back.
            Fact::Finished { .. } => self.outcome.is_none(),
            // What reading has shown as ended is not opened again: the same boundaries as a verdict's.
            Fact::Heard(at, _) => {
                let later = !matches!(change.guard, Guard::Runs { .. }) || self.heard_at < Some(at);
                later
                    && self.finish_by > at
                    && (self.started_at.is_some() || self.start_by > at)
                    && self.silent_at.is_none_or(|silent| silent > at)
            }
            _ => true,
        };
        self.key == change.key && guard && open
    }

    /// The row after this change; none if it is old news. It is total: whatever the row and the change, it answers.
    pub fn apply(&self, change: &Change) -> Option<Self> {
        if !self.allows(change) {
            return None;
        }
        let mut next = self.clone();
        next.progress = change.progress;
        next.status = change.status;
        next.delivery_status = change.delivery_status.unwrap_or(self.delivery_status);
        next.steps.extend(change.step.clone());
        match change.due {
            DueEntry::Keep => {}
            DueEntry::Remove => next.due_at = None,
            DueEntry::At(at) => next.due_at = Some(at),
        }
        match &change.fact {
            Fact::Nothing => {}
            Fact::Claimed(claim) => {
                next.sent_at = Some(claim.at);
                next.send_at = Some(claim.send_at);
                next.unsure |= claim.unsure;
                next.withdraw |= claim.via.shadow().is_some();
                next.claim = Some(claim.token.clone());
            }
            Fact::Sent | Fact::Queued | Fact::Waits => next.send_at = None,
            Fact::Rerouted(route) => {
                next.sent_at = None;
                next.send_at = Some(route.send_at);
                next.via = route.via.clone();
                next.start_by = route.start_by;
                next.in_lane |= route.lane.is_some();
                next.lane = route.lane.clone();
            }
            Fact::Unsent { send_at, refused } => {
                next.send_at = Some(*send_at);
                next.sent_at = self.sent_at.filter(|_| !refused);
            }
            Fact::Delivered(at) => {
                next.delivered_at = Some(*at);
                next.send_at = None;
            }
            Fact::Heard(at, _) => {
                next.delivered_at = self.delivered_at.or(Some(*at));
                next.started_at = self.started_at.or(Some(*at));
                next.heard_at = Some(*at);
                next.silent_at = self.heartbeat.map(|heartbeat| at.plus_seconds(crate::execution::silence(heartbeat)));
            }
            Fact::Finished { outcome, withdrawn } => {
                next.delivered_at = self.delivered_at.or(Some(outcome.at));
                next.outcome = Some((**outcome).clone());
                next.withdraw &= !withdrawn;
            }
            Fact::GaveUp(verdict) => {
                next.verdict = Some(*verdict);
                next.sent_at = self.sent_at.filter(|_| !change.takes_back());
            }
            Fact::Again { attempt, send_at } => {
                next.attempt = *attempt;
                next.send_at = Some(*send_at);
                next.unsure = false;
                next.sent_at = None;
                next.delivered_at = None;
                next.started_at = None;
                next.heard_at = None;
                next.silent_at = None;
            }
            Fact::Cleared => {
                next.in_lane = false;
                next.withdraw = false;
            }
        }
        Some(next)
    }
}

impl Change {
    /// Whether nothing is awaited after it.
    pub fn is_terminal(&self) -> bool {
        self.progress.is_terminal()
    }

    /// Whether it is given up as what never went out, though it was stored as sent.
    pub fn takes_back(&self) -> bool {
        matches!(self.fact, Fact::GaveUp(_)) && self.delivery_status == Some(DeliveryStatus::Pending)
    }

    /// Whether it moves the execution from one status to another, or within one; not if it only tidies up.
    pub fn moves(&self) -> bool {
        !matches!(self.fact, Fact::Cleared) && !matches!((&self.fact, self.guard), (Fact::Nothing, Guard::Seen(_)))
    }
}

#[cfg(test)]
pub(crate) mod table;
#[cfg(test)]
mod tests;
