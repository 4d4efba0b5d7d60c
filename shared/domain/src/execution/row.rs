//! The row of an execution: one command on one thing.

use crate::actor::Actor;
use crate::command::deadlines::silence_seconds;
use crate::command::lane::Lane;
use crate::command::retry::Retry;
use crate::execution::channel::Channel;
use crate::execution::creator_token::CreatorToken;
use crate::execution::history::HistoryEntry;
use crate::execution::interim_report::InterimReport;
use crate::execution::key::Key;
use crate::execution::progress::{Attempt, Progress, Rank};
use crate::ids::{BatchNumber, CommandId};
use crate::messages::report::channel::ReportChannel;
use crate::messages::report::reason_code::ReasonCode;
use crate::messages::report::result::ReportResult;
use crate::names::CommandName;
use crate::status::{DeliveryStatus, Reason, Status};
use crate::timestamp::Timestamp;

/// One command on one thing, as its row stores it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Execution {
    /// Thing and execution id.
    pub key: Key,
    /// The id of its command.
    pub command: CommandId,
    /// The name of its command.
    pub name: CommandName,
    /// The version number of the row: most writes are conditional on it.
    pub progress: Progress,
    /// The status.
    pub status: Status,
    /// How far the request of the current attempt has come.
    pub delivery_status: DeliveryStatus,
    /// The current attempt.
    pub attempt: Attempt,
    /// How its requests reach the device.
    pub channel: Channel,
    /// When it was created; the deadlines count from here. Of a broadcast, when its command was created.
    pub created_at: Timestamp,
    /// The caller who created its command.
    pub created_by: Actor,
    /// The device must have started before this instant.
    pub start_by: Timestamp,
    /// The device must have finished before this instant.
    pub finish_by: Timestamp,
    /// The interval of the heartbeats of a running device, in seconds; none: no heartbeats are expected.
    pub heartbeat_seconds: Option<u32>,
    /// The retry policy.
    pub retry: Option<Retry>,
    /// The lane that it joins.
    pub lane: Option<Lane>,
    /// Whether its lane's queue may contain it, so that it has to leave the queue after its end.
    pub in_lane: bool,
    /// Whether a shadow may contain its request, so that the shadow has to be cleaned up after its end.
    pub shadow_cleanup_pending: bool,
    /// When its request has to be sent, or its lane checked: a retry, a sending that failed, or one whose sender may
    /// have crashed.
    pub next_send_at: Option<Timestamp>,
    /// The function that stored the row, and sends its request without a claim.
    pub creator: Option<CreatorToken>,
    /// The token of the last claim. The creator of a row sends it without a claim.
    pub claim: Option<String>,
    /// Whether an earlier sending of this attempt may have reached the device. The result of a later one does not clear
    /// it.
    pub maybe_delivered: bool,
    /// When the request of this attempt was sent, or may have been.
    pub sent_at: Option<Timestamp>,
    /// When the device acknowledged the request, or sent its first report.
    pub delivered_at: Option<Timestamp>,
    /// When the device reported that it had started.
    pub started_at: Option<Timestamp>,
    /// When the last IN_PROGRESS report came.
    pub last_active_at: Option<Timestamp>,
    /// The earlier attempt that the device runs, by its last IN_PROGRESS report; none where it runs the current one.
    pub runs_attempt: Option<Attempt>,
    /// When the silence of a running device ends the attempt.
    pub heartbeat_deadline: Option<Timestamp>,
    /// What the device has reported last of its run, beside that it runs.
    pub interim: Option<InterimReport>,
    /// The provisional end.
    pub verdict: Option<Verdict>,
    /// When the device reported that it has stopped the canceled execution.
    pub stopped_at: Option<Timestamp>,
    /// The final end.
    pub outcome: Option<Outcome>,
    /// How the device ended the attempt before the current one; none if that attempt ended without its report. It is
    /// how the execution ends if the current attempt never goes out.
    pub last_failure: Option<AttemptEnd>,
    /// Events that the other attributes do not show, in the order of their writes.
    pub history: Vec<HistoryEntry>,
    /// The entry in the due index, in seconds since 1970; none: nothing is left to do.
    pub due_at: Option<i64>,
    /// When DynamoDB may delete it.
    pub purge_at: Timestamp,
    /// The batch of its fleet command.
    pub batch: Option<BatchNumber>,
}

/// The provisional end of an execution, decided by the cloud. A report of the device overrides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// Why it ended.
    pub reason: Reason,
    /// The deadline that passed, or the time of the cancel.
    pub at: Timestamp,
}

/// The end of an attempt that the device reported, and that is retried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttemptEnd {
    /// FAILED, REJECTED or TIMED_OUT.
    pub status: Status,
    /// What the device reported.
    pub outcome: Outcome,
}

/// The final end of an execution, reported by its device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// The attempt that the device answered, which may be an earlier one than the last.
    pub attempt: Attempt,
    /// The device's reason code.
    pub code: Option<ReasonCode>,
    /// The device's reason as a sentence.
    pub description: Option<String>,
    /// The result of the operation.
    pub result: Option<ReportResult>,
    /// When the report came.
    pub at: Timestamp,
    /// Whether it came in a message or in a shadow.
    pub channel: ReportChannel,
}

impl Execution {
    /// How long a running device may send no heartbeat, in seconds; 0 where no heartbeats are expected.
    pub fn silence_seconds(&self) -> u32 {
        self.heartbeat_seconds.map_or(0, silence_seconds)
    }

    /// Whether it has ended, provisionally or finally.
    pub fn is_terminal(&self) -> bool {
        !matches!(self.status, Status::Created | Status::InProgress)
    }

    /// Whether it waits in its lane for the executions before it, or its turn has come and its request is not sent
    /// yet.
    pub fn waits_in_lane(&self) -> bool {
        self.in_lane && self.sent_at.is_none() && self.status == Status::Created
    }

    /// Whether its request is scheduled for later than `now`, because an attempt or a sending has failed.
    pub fn is_send_postponed(&self, now: Timestamp) -> bool {
        let tried = self.attempt > 1 || self.progress.seq() > 0;
        tried && self.next_send_at.is_some_and(|at| at > now)
    }

    /// Whether no request of any attempt can have reached the device.
    pub fn was_never_sent(&self) -> bool {
        self.status == Status::Created && self.attempt == 1 && !self.may_be_delivered()
    }

    /// Whether the device is known to have the request, or nothing is sent any more.
    pub fn is_received_or_ended(&self) -> bool {
        self.delivery_status == DeliveryStatus::Delivered || self.is_terminal()
    }

    /// Whether the device may have the request of this attempt: its sender may crash before it writes the result.
    pub(crate) fn may_be_delivered(&self) -> bool {
        let by_last_sending = match self.delivery_status {
            DeliveryStatus::Pending => self.sent_at.is_some(),
            DeliveryStatus::Queued => false,
            DeliveryStatus::Sent | DeliveryStatus::Delivered => true,
        };
        self.maybe_delivered || by_last_sending
    }

    /// Whether nothing has been written to the row since its creation.
    pub fn is_as_created(&self) -> bool {
        self.progress == Progress::new(1, Rank::Created, 0)
    }

    /// Whether a report that came at this time and names no execution may be about this one: the row existed, its
    /// device may have the request and has not reported its end, and the timeout has not passed. An execution whose
    /// ttl has passed matches too, so that its late report is not applied to another execution.
    pub fn matches_unnamed_report(&self, at: Timestamp) -> bool {
        // A device may report before the result of the sending is written.
        let may_have_request = self.may_be_delivered() || self.attempt > 1;
        // A report that is handled again must not count for the execution that was sent because of it. Where the request was
        // sent several times, the time is that of the last.
        let was_sent_once = self.attempt == 1 && self.history.is_empty() && !self.maybe_delivered;
        let is_sent_later = was_sent_once && self.sent_at.is_some_and(|sent| at < sent);
        self.created_at <= at && !is_sent_later && at < self.finish_by && self.outcome.is_none() && may_have_request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::execution::fixtures::{CREATED_AT, after_report, execution};

    #[test]
    fn unnamed_report_matches_only_executions_that_the_device_may_work_on() {
        let pending = execution(None);
        let after = |seconds| CREATED_AT.plus_seconds(seconds);
        let sent = pending.apply(&pending.sent(CREATED_AT, Actor::device())).unwrap();
        assert!(sent.matches_unnamed_report(CREATED_AT));
        let before = Timestamp::from_millis(CREATED_AT.as_millis() - 1);
        assert!(!sent.matches_unnamed_report(before), "it did not exist yet");
        let sent_later = Execution { sent_at: Some(after(10)), ..sent.clone() };
        assert!(!sent_later.matches_unnamed_report(after(9)), "the report led to its sending");
        assert!(sent_later.matches_unnamed_report(after(10)));
        let sent_again = Execution { maybe_delivered: true, ..sent_later };
        assert!(sent_again.matches_unnamed_report(after(9)), "it was sent before, too");
        assert!(sent.matches_unnamed_report(after(599)), "it has expired, but its device may still run it");
        assert!(!sent.matches_unnamed_report(after(600)));
        let verdict = sent.overdue_verdict(after(60)).unwrap();
        let expired = sent.apply(&sent.give_up(verdict, after(60), Actor::device())).unwrap();
        assert!(expired.matches_unnamed_report(after(61)), "its late report must not be applied to another execution");
        assert!(!after_report(&sent, 1, "FAILED").unwrap().matches_unnamed_report(after(2)), "its device has ended it");
        assert!(after_report(&pending, 1, "RUNNING").unwrap().matches_unnamed_report(after(2)));
        let queued = pending.apply(&pending.queued(CREATED_AT, Actor::device())).unwrap();
        assert!(!queued.matches_unnamed_report(after(1)), "its device has not received it");
        let refused = pending.apply(&pending.send_failed(CREATED_AT, Actor::device(), true)).unwrap();
        assert!(!refused.matches_unnamed_report(after(1)));
        assert!(
            pending.matches_unnamed_report(after(30)),
            "the proof of its delivery may be overtaken, or never written"
        );
    }
}
