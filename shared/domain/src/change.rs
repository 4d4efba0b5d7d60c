//! What something that happened writes into an execution. A change is written if the register grows by it, else it is
//! old news, and nothing to do.

use crate::{
    Attempt, DeliveryStatus, Execution, Key, Outcome, Progress, Rank, Report, Reported, Status, Timestamp, Verdict,
};

/// One conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Into which row.
    pub key: Key,
    /// Only if the row's number is less than this, which it becomes.
    pub progress: Progress,
    /// Only if the row has come to this attempt: a device can't answer what it was never asked.
    pub attempt: Attempt,
    /// What the row's status becomes.
    pub status: Status,
    /// What its delivery status becomes, where that is known.
    pub delivery_status: Option<DeliveryStatus>,
    /// What else is written.
    pub fact: Fact,
    /// Only if the row is still as it was seen.
    pub seen: Option<Seen>,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Delivery was tried, and the device is not known to have the request.
    Tried,
    /// The device acknowledged the message.
    Delivered(Timestamp),
    /// The device has begun, or still runs. Only if it has not finished by then, nor should have begun and has not.
    Heard(Timestamp),
    /// The device has ended it.
    Finished(Outcome),
    /// The cloud has given up.
    GaveUp(Verdict),
}

/// What a reconciler has seen of the row it judges: a device's beat that lands in between changes it, and wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it was due.
    pub due_at: Option<i64>,
    /// When the device was last heard of.
    pub heard_at: Option<Timestamp>,
}

impl Execution {
    /// The device acknowledged the message.
    pub fn delivered(&self, at: Timestamp) -> Change {
        let progress = Progress::new(self.attempt, Rank::Delivered, 0);
        self.change(progress, DeliveryStatus::Delivered, Fact::Delivered(at))
    }

    /// The device is not connected.
    pub fn queued(&self) -> Change {
        self.tried(DeliveryStatus::Queued)
    }

    /// The message went out, and nobody can say whether it arrived.
    pub fn unacknowledged(&self) -> Change {
        self.tried(DeliveryStatus::Sent)
    }

    /// The message did not go out.
    pub fn unsent(&self) -> Change {
        self.tried(DeliveryStatus::Pending)
    }

    /// What a sending that failed says, if it says anything new. Refused, it did not go out; else nobody can say, and it
    /// is not called unsent, since a device may have it already.
    pub fn sending_failed(&self, refused: bool) -> Option<Change> {
        match (self.delivery_status, refused) {
            // A topic's: it was born so.
            (DeliveryStatus::Sent, true) => Some(self.unsent()),
            (DeliveryStatus::Pending | DeliveryStatus::Queued, false) => Some(self.unacknowledged()),
            _ => None,
        }
    }

    fn tried(&self, delivery: DeliveryStatus) -> Change {
        let tries = if self.progress.within(Rank::Created) { self.progress.seq() } else { 0 };
        self.change(Progress::new(self.attempt, Rank::Created, tries + 1), delivery, Fact::Tried)
    }

    fn change(&self, progress: Progress, delivery: DeliveryStatus, fact: Fact) -> Change {
        Change {
            key: self.key.clone(),
            progress,
            attempt: self.attempt,
            status: Status::Created,
            delivery_status: Some(delivery),
            fact,
            seen: None,
        }
    }

    pub(crate) fn give_up(&self, verdict: Verdict) -> Change {
        Change {
            key: self.key.clone(),
            progress: Progress::new(self.attempt, Rank::TimedOut, 0),
            attempt: self.attempt,
            status: verdict.reason.status(),
            delivery_status: None,
            fact: Fact::GaveUp(verdict),
            seen: Some(Seen { due_at: self.due_at, heard_at: self.heard_at }),
        }
    }

    /// When the device was heard of by a change that is no news otherwise: its beat says nothing new, but that it lives. A
    /// device that answers in text can't count its beats.
    pub fn beat(&self, change: &Change) -> Option<Timestamp> {
        let Fact::Heard(at) = change.fact else { return None };
        let counts = self.key == change.key
            && self.attempt == change.attempt
            && self.status == Status::InProgress
            && self.heartbeat.is_some()
            && self.heard_at.is_some_and(|heard| heard < at)
            // What reading has shown as ended is not opened again.
            && self.overdue(at).is_none();
        counts.then_some(at)
    }

    /// The row after this change; none if it is old news. What the table's condition decides, for one who holds the row.
    pub fn apply(&self, change: &Change) -> Option<Self> {
        let seen = change.seen.is_none_or(|seen| seen == Seen { due_at: self.due_at, heard_at: self.heard_at });
        let open = match change.fact {
            // What reading has shown as ended is not opened again: the same boundaries as a verdict's.
            Fact::Heard(at) => self.finish_by > at && (self.started_at.is_some() || self.start_by > at),
            _ => true,
        };
        if self.key != change.key || self.progress >= change.progress || self.attempt < change.attempt || !seen || !open
        {
            return None;
        }
        let mut next = self.clone();
        next.progress = change.progress;
        next.status = change.status;
        next.delivery_status = change.delivery_status.unwrap_or(self.delivery_status);
        match &change.fact {
            Fact::Tried => {}
            Fact::Delivered(at) => next.delivered_at = Some(*at),
            Fact::Heard(at) => {
                next.delivered_at = self.delivered_at.or(Some(*at));
                next.started_at = self.started_at.or(Some(*at));
                next.heard_at = Some(*at);
            }
            Fact::Finished(outcome) => {
                next.delivered_at = self.delivered_at.or(Some(outcome.at));
                next.outcome = Some(outcome.clone());
                next.due_at = None;
            }
            Fact::GaveUp(verdict) => {
                next.verdict = Some(*verdict);
                next.due_at = None;
            }
        }
        Some(next)
    }
}

impl Report {
    /// What this report writes into the execution it is about, when it has arrived at this time. Whoever answers has the
    /// request, so every report proves delivery too.
    pub fn change(&self, key: Key, at: Timestamp) -> Change {
        let (rank, status, seq) = match self.reported {
            Reported::InProgress { seq: 0 } => (Rank::Accepted, Status::InProgress, 0),
            Reported::InProgress { seq } => (Rank::Running, Status::InProgress, seq),
            Reported::Succeeded => (Rank::Succeeded, Status::Succeeded, 0),
            Reported::Failed => (Rank::Failed, Status::Failed, 0),
            Reported::Rejected => (Rank::Failed, Status::Rejected, 0),
            Reported::TimedOut => (Rank::Failed, Status::TimedOut, 0),
        };
        let fact = match self.reported {
            Reported::InProgress { .. } => Fact::Heard(at),
            _ => Fact::Finished(Outcome {
                code: self.code.clone(),
                description: self.description.clone(),
                result: self.result.clone(),
                at,
            }),
        };
        Change {
            key,
            progress: Progress::new(self.attempt, rank, seq),
            attempt: self.attempt,
            status,
            delivery_status: Some(DeliveryStatus::Delivered),
            fact,
            seen: None,
        }
    }
}

impl Change {
    /// Whether it is a failure of the execution, which its command is found by.
    pub fn is_failure(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Rejected | Status::TimedOut)
    }

    /// Whether nothing is owed after it.
    pub fn is_terminal(&self) -> bool {
        self.progress.is_terminal()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Delivery, Reason,
        execution::tests::{BORN, command, execution, told},
    };

    #[test]
    fn delivery_is_told_as_far_as_it_is_known() {
        let pending = execution(None);
        let after = |execution: &Execution, change: Change| execution.apply(&change).unwrap();
        let queued = after(&pending, pending.queued());
        assert_eq!((queued.delivery_status, queued.progress.seq()), (DeliveryStatus::Queued, 1));
        let sent = after(&queued, queued.unacknowledged());
        assert_eq!((sent.delivery_status, sent.progress.seq()), (DeliveryStatus::Sent, 2));
        let delivered = after(&sent, sent.delivered(BORN));
        assert_eq!((delivered.delivery_status, delivered.delivered_at), (DeliveryStatus::Delivered, Some(BORN)));
        assert_eq!(delivered.status, Status::Created);
        assert_eq!(delivered.apply(&sent.queued()), None, "a slower delivery knows less");
    }

    #[test]
    fn a_sending_that_failed_is_called_unsent_only_where_it_was_refused() {
        let (direct, topic) = (execution(None), Execution::create(&command(Delivery::Topic, None)));
        let queued = direct.apply(&direct.queued()).unwrap();
        let after = |row: &Execution, refused| {
            let change = row.sending_failed(refused);
            change.map(|change| row.apply(&change).unwrap().delivery_status)
        };
        assert_eq!(after(&direct, true), None, "PENDING as it is");
        assert_eq!(after(&direct, false), Some(DeliveryStatus::Sent));
        assert_eq!(after(&queued, true), None);
        assert_eq!(after(&queued, false), Some(DeliveryStatus::Sent));
        assert_eq!(after(&topic, true), Some(DeliveryStatus::Pending));
        assert_eq!(after(&topic, false), None, "SENT as it is");
        let refused = topic.apply(&topic.unsent()).unwrap();
        assert_eq!(after(&refused, true), None);
        assert_eq!(after(&refused, false), Some(DeliveryStatus::Sent));
    }

    #[test]
    fn an_answer_proves_delivery_even_where_its_proof_was_overtaken() {
        let pending = execution(None);
        let accepted = told(&pending, 1, "RUNNING").unwrap();
        assert_eq!(accepted.delivery_status, DeliveryStatus::Delivered);
        assert_eq!(accepted.apply(&pending.delivered(BORN)), None);
    }

    #[test]
    fn a_device_cannot_answer_what_it_was_never_asked() {
        let pending = execution(None);
        assert_eq!(told(&pending, 1, r#"{"status":"FAILED","attempt":2}"#), None);
        assert_eq!(told(&pending, 1, r#"{"status":"SUCCEEDED","attempt":2}"#), None);
    }

    #[test]
    fn the_devices_word_stands_against_the_clouds_guess_and_not_the_other_way() {
        let pending = execution(None);
        let guess = pending.give_up(Verdict { reason: Reason::Expired, at: pending.start_by });
        let expired = pending.apply(&guess).unwrap();
        assert_eq!((expired.status, expired.due_at), (Status::TimedOut, None));
        assert_eq!(told(&expired, 61, "RUNNING"), None);
        let failed = told(&expired, 62, "FAILED").unwrap();
        assert_eq!(failed.status, Status::Failed);
        assert_eq!(failed.verdict.map(|verdict| verdict.reason), Some(Reason::Expired), "history is kept");
        assert_eq!(failed.apply(&guess), None);
        assert_eq!(told(&failed, 63, "REJECTED"), None);
        assert_eq!(told(&failed, 64, "SUCCEEDED").unwrap().status, Status::Succeeded);
    }

    #[test]
    fn a_beat_that_lands_before_the_verdict_wins() {
        let running = told(&execution(Some(30)), 5, "RUNNING").unwrap();
        let verdict = running.overdue(BORN.plus_seconds(95)).unwrap();
        let guess = running.give_up(verdict);
        let beaten = told(&running, 94, r#"{"status":"IN_PROGRESS","seq":1}"#).unwrap();
        assert_eq!(beaten.apply(&guess), None);
        assert!(running.apply(&guess).is_some());
    }

    #[test]
    fn a_beat_that_does_not_count_its_number_still_says_that_the_device_lives() {
        let running = told(&execution(Some(30)), 5, "RUNNING").unwrap();
        let beat = |row: &Execution, seconds, payload: &str| {
            let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
            row.beat(&report.change(row.key.clone(), BORN.plus_seconds(seconds)))
        };
        assert_eq!(told(&running, 35, "RUNNING"), None, "no news");
        assert_eq!(beat(&running, 35, "RUNNING"), Some(BORN.plus_seconds(35)));
        assert_eq!(beat(&running, 5, "RUNNING"), None, "the same again");
        assert_eq!(beat(&running, 4, "RUNNING"), None, "an older one");
        assert_eq!(beat(&running, 95, "RUNNING"), None, "it was lost before");
        assert_eq!(beat(&running, 35, "SUCCESS"), None);
        assert_eq!(beat(&running, 35, r#"{"status":"RUNNING","attempt":2}"#), None, "it was never asked");
        let silent = told(&execution(None), 5, "RUNNING").unwrap();
        assert_eq!(beat(&silent, 35, "RUNNING"), None, "nobody waits for its beats");
        assert_eq!(beat(&told(&running, 20, "FAILED").unwrap(), 35, "RUNNING"), None);
    }

    /// Everything that may happen to an execution of one attempt.
    fn anything() -> impl Strategy<Value = Change> {
        let created = execution(Some(30));
        let report = |payload: &str| {
            let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
            report.change(execution(None).key, BORN.plus_seconds(7))
        };
        let give_up = created.give_up(Verdict { reason: Reason::Expired, at: created.start_by });
        proptest::sample::select(vec![
            created.queued(),
            created.unacknowledged(),
            created.unsent(),
            created.delivered(BORN),
            Change { seen: None, ..give_up },
            report("RUNNING"),
            report(r#"{"status":"IN_PROGRESS","seq":1}"#),
            report(r#"{"status":"IN_PROGRESS","seq":2}"#),
            report("FAILED"),
            report("SUCCEEDED"),
        ])
    }

    proptest! {
        #[test]
        fn the_register_never_falls_and_a_hard_word_is_final(changes in proptest::collection::vec(anything(), 0..30)) {
            let mut row = execution(Some(30));
            for change in changes {
                let Some(next) = row.apply(&change) else { continue };
                prop_assert!(next.progress > row.progress);
                prop_assert!(!row.progress.is_hard() || next.status == Status::Succeeded);
                prop_assert_eq!(next.is_terminal(), next.progress.is_terminal());
                prop_assert_eq!(next.due_at.is_some(), !next.is_terminal());
                prop_assert_eq!(next.outcome.is_some(), next.progress.is_hard());
                row = next;
            }
        }

        #[test]
        fn twice_is_once(changes in proptest::collection::vec(anything(), 0..30)) {
            let mut row = execution(Some(30));
            for change in changes {
                row = row.apply(&change).unwrap_or(row);
                prop_assert_eq!(row.apply(&change), None);
            }
        }

        #[test]
        fn the_end_does_not_depend_on_the_order(mut changes in proptest::collection::vec(anything(), 0..12)) {
            let end = |changes: &[Change]| {
                let last = changes.iter().fold(execution(Some(30)), |row, change| row.apply(change).unwrap_or(row));
                (last.progress, last.status)
            };
            let forward = end(&changes);
            changes.reverse();
            prop_assert_eq!(forward.0, end(&changes).0);
            if forward.0.is_terminal() {
                prop_assert_eq!(forward.1, end(&changes).1);
            }
        }
    }
}
