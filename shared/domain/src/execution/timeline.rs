//! The timeline of an execution: all its events in order, with actor, attempt and channel, inferred from its row.
//!
//! A row does not record what its attributes show anyway, since a write for that would double the cost of an
//! execution. So the timeline is put together from the attributes and the recorded history entries.

use crate::actor::Actor;
use crate::execution::attempt_steps::AttemptSteps;
use crate::execution::history::HistoryEntry;
use crate::execution::progress::Attempt;
use crate::execution::row::Execution;
use crate::status::{DeliveryStatus, Reason, Status};
use crate::timestamp::Timestamp;

/// One event of an execution, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When it happened; of a deadline, the instant at which it passed.
    pub at: Timestamp,
    /// The attempt that it belongs to.
    pub attempt: Attempt,
    /// What happened.
    pub event: TimelineEvent,
    /// Who made the change. None for a deadline whose verdict or end is not written yet, and for a request whose device
    /// reported before its sender was recorded.
    pub actor: Option<Actor>,
    /// The channel of the request, as [`crate::Channel`] is stored; or that of the report which ended the execution.
    pub channel: Option<String>,
    /// Of a cancel, why: the caller's own words, or the rule of the command that was met.
    pub why: Option<String>,
}

/// What an entry of a timeline tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimelineEvent {
    /// The status changed. A failed attempt that was retried has the status CREATED.
    Status {
        /// The status after the event.
        status: Status,
        /// The reason of a verdict, the failure of an attempt that was retried, or the device's code for a final end.
        reason: Option<String>,
        /// The device's code for the failure of an attempt that was retried.
        device_reason: Option<String>,
    },
    /// The delivery status changed, or was established again.
    Delivery(DeliveryStatus),
}

impl Execution {
    /// All events until `now`, in order of time. A deadline that has passed is among them, whether or not its verdict
    /// is written.
    pub fn timeline(&self, now: Timestamp) -> Vec<TimelineEntry> {
        let row = self.observe(now);
        let (verdict_entry, end_entry) = (row.verdict_entry(), row.end_by_last_failure());
        let shown_otherwise = |entry: &HistoryEntry| Some(entry) == verdict_entry || Some(entry) == end_entry;
        let mut entries = vec![row.creation()];
        for entry in row.history.iter().filter(|entry| !shown_otherwise(entry)) {
            entries.extend(row.past_steps(entry));
            entries.push(recorded(entry));
        }
        entries.extend(row.current_steps());
        entries.extend(row.verdict.map(|verdict| TimelineEntry {
            at: verdict.at,
            attempt: row.attempt,
            event: status(verdict.reason.status(), Some(verdict.reason.to_string())),
            actor: verdict_entry.map(|entry| entry.actor.clone()),
            channel: None,
            why: verdict_entry.and_then(|entry| entry.why.clone()),
        }));
        entries.extend(row.stopped_at.map(|at| device(at, row.attempt, status(Status::Canceled, None))));
        entries.extend(row.end_by_device());
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    fn creation(&self) -> TimelineEntry {
        let (at, actor) = (self.created_at, Some(self.created_by.clone()));
        TimelineEntry { at, attempt: 1, event: status(Status::Created, None), actor, channel: None, why: None }
    }

    /// The history entry that records who wrote the verdict, and why.
    pub(super) fn verdict_entry(&self) -> Option<&HistoryEntry> {
        let reason = self.verdict?.reason.as_str();
        self.history.iter().rfind(|entry| entry.attempt == self.attempt && entry.event == reason)
    }

    /// The steps of an attempt that failed and was retried, which the entry of its failure keeps.
    fn past_steps(&self, failure: &HistoryEntry) -> Vec<TimelineEntry> {
        self.steps(&failure.steps, failure.attempt, [failure.attempt; 2], failure.channel.clone())
    }

    /// The steps of the current attempt, as the attributes of the row show them.
    fn current_steps(&self) -> Vec<TimelineEntry> {
        let steps = self.attempt_steps();
        let started = self.runs_attempt.unwrap_or(self.attempt);
        // Where only a report proves the delivery, it proves that of the attempt which it answers.
        let proof = self.outcome.as_ref().filter(|outcome| Some(outcome.at) == steps.delivered_at);
        let delivered = match proof {
            Some(outcome) => outcome.attempt,
            None if steps.started_at == steps.delivered_at => started,
            None => self.attempt,
        };
        // A request that was rerouted was sent on another channel first.
        let first_channel = self.history.iter().find_map(|entry| entry.channel.clone());
        let channel = first_channel.filter(|_| steps.sent_by_creator).unwrap_or_else(|| self.channel.to_string());
        self.steps(&steps, self.attempt, [delivered, started], Some(channel))
    }

    /// The steps of one attempt, with the attempts whose delivery and whose start are known: a device may still run an
    /// earlier one.
    fn steps(
        &self,
        steps: &AttemptSteps,
        attempt: Attempt,
        [delivered, started]: [Attempt; 2],
        channel: Option<String>,
    ) -> Vec<TimelineEntry> {
        let sent = steps.sent_at.map(|at| TimelineEntry {
            at,
            attempt,
            event: TimelineEvent::Delivery(DeliveryStatus::Sent),
            actor: steps.sent_by_creator.then(|| self.first_sender()),
            channel,
            why: None,
        });
        let delivery = TimelineEvent::Delivery(DeliveryStatus::Delivered);
        let delivered = steps.delivered_at.map(|at| device(at, delivered, delivery));
        let started = steps.started_at.map(|at| device(at, started, status(Status::InProgress, None)));
        sent.into_iter().chain(delivered).chain(started).collect()
    }

    fn end_by_device(&self) -> Option<TimelineEntry> {
        let outcome = self.outcome.as_ref()?;
        let event = status(self.status, outcome.code.as_ref().map(ToString::to_string));
        // The report has an entry of its own, as the failure of the attempt before.
        if self.is_ended_by_last_failure() {
            let actor = self.end_by_last_failure().map(|entry| entry.actor.clone());
            return Some(TimelineEntry { actor, ..device(self.start_by, self.attempt, event) });
        }
        let channel = Some(outcome.channel.as_str().to_owned());
        Some(TimelineEntry { channel, ..device(outcome.at, outcome.attempt, event) })
    }
}

fn status(status: Status, reason: Option<String>) -> TimelineEvent {
    TimelineEvent::Status { status, reason, device_reason: None }
}

fn device(at: Timestamp, attempt: Attempt, event: TimelineEvent) -> TimelineEntry {
    TimelineEntry { at, attempt, event, actor: Some(Actor::device()), channel: None, why: None }
}

/// A recorded entry: a delivery status, a cancel, or the failure of an attempt that was retried.
fn recorded(entry: &HistoryEntry) -> TimelineEntry {
    let (word, code) = match entry.event.split_once(' ') {
        Some((word, code)) => (word, Some(code.to_owned())),
        None => (entry.event.as_str(), None),
    };
    let event = match (DeliveryStatus::parse(word), Reason::parse(word)) {
        (Ok(delivery), _) => TimelineEvent::Delivery(delivery),
        (_, Ok(reason)) if reason.status() == Status::Canceled => status(Status::Canceled, Some(word.to_owned())),
        // The next attempt begins where the execution began.
        _ => TimelineEvent::Status { status: Status::Created, reason: Some(word.to_owned()), device_reason: code },
    };
    // The channel of a failed attempt is that of its sending, which has an entry of its own.
    let channel = entry.channel.clone().filter(|_| DeliveryStatus::parse(word).is_ok());
    let actor = Some(entry.actor.clone());
    TimelineEntry { at: entry.at, attempt: entry.attempt, event, actor, channel, why: entry.why.clone() }
}

#[cfg(test)]
mod tests;
