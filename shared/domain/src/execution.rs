//! One command at one thing: the row, as values, and what it says at a given time.

use crate::{
    Attempt, Command, CommandId, CommandName, Delivery, DeliveryStatus, ExecutionId, Progress, Rank, Reason,
    ReasonCode, ReportResult, Status, ThingName, Timestamp,
};

/// Thirty days after its last deadline, nobody asks for an execution any more.
pub(crate) const RETENTION: u32 = 30 * 24 * 3600;

/// No request lives longer than this, in seconds, from its arrival to the end of its delivery.
const SENDING: u32 = 10;

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

    /// The row as it is shown while it is not stored: its creation was cut short, so nothing was sent.
    pub fn unstored(command: &Command) -> Self {
        Self { delivery_status: DeliveryStatus::Pending, ..Self::create(command) }
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

    /// Whether the request should go out when it is asked for again at this time: nobody is known to have it, and nobody
    /// else can be sending it.
    pub fn is_to_be_sent(&self, now: Timestamp) -> bool {
        let tried = matches!(self.delivery_status, DeliveryStatus::Pending | DeliveryStatus::Queued);
        let wanted = match self.is_untouched() {
            // The request that stored it is this one, and its answer was lost; or it did not live to send it.
            true => now == self.created_at || !self.may_be_under_way(now),
            false => self.progress.within(Rank::Created) && tried,
        };
        wanted && self.overdue(now).is_none()
    }

    /// Whether it is as it was stored: nobody has written how its delivery went.
    fn is_untouched(&self) -> bool {
        self.progress == Progress::new(1, Rank::Created, 0)
    }

    /// Whether the request that stored it may still be sending it.
    fn may_be_under_way(&self, now: Timestamp) -> bool {
        self.is_untouched() && now < self.created_at.plus_seconds(SENDING)
    }

    /// Whether a report that arrived at this time and names no execution may be about this one: it was there already, its
    /// device may have the request and has not ended it, and it could still be at it. One that has expired since counts
    /// too, so that its late report is not taken for another's.
    pub fn may_be_meant(&self, at: Timestamp) -> bool {
        let unsent = matches!(self.delivery_status, DeliveryStatus::Pending | DeliveryStatus::Queued);
        // A device may answer before its delivery is written.
        let held = self.status != Status::Created || !unsent || self.may_be_under_way(at);
        self.created_at <= at && at < self.finish_by && self.outcome.is_none() && held
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

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Deadlines, Definition, Fingerprint, Report};

    pub(crate) const BORN: Timestamp = Timestamp::from_millis(1_700_000_000_123);

    pub(crate) fn command(delivery: Delivery, heartbeat: Option<i64>) -> Command {
        Command {
            id: CommandId::from_request(BORN, "request"),
            definition: Definition {
                name: CommandName::parse("reboot").unwrap(),
                payload: None,
                thing: ThingName::parse("pump-7").unwrap(),
                delivery,
                deadlines: Deadlines::new(Some(60), Some(600), heartbeat).unwrap(),
            },
            created_at: BORN,
            fingerprint: Fingerprint::from_stored("fingerprint"),
        }
    }

    pub(crate) fn execution(heartbeat: Option<i64>) -> Execution {
        Execution::create(&command(Delivery::Direct, heartbeat))
    }

    /// The execution after the device has said this, so many seconds after its creation.
    pub(crate) fn told(execution: &Execution, seconds: u32, payload: &str) -> Option<Execution> {
        let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
        execution.apply(&report.change(execution.key.clone(), BORN.plus_seconds(seconds)))
    }

    fn seen_after(execution: &Execution, seconds: u32) -> (Status, Option<Reason>) {
        let seen = execution.observe(BORN.plus_seconds(seconds));
        (seen.status, seen.verdict.map(|verdict| verdict.reason))
    }

    #[test]
    fn past_its_ttl_it_has_expired_whether_or_not_anyone_wrote_so() {
        let execution = execution(None);
        assert_eq!(seen_after(&execution, 59), (Status::Created, None));
        assert_eq!(seen_after(&execution, 60), (Status::TimedOut, Some(Reason::Expired)));
        assert_eq!(execution.observe(BORN.plus_seconds(9999)).verdict.unwrap().at, execution.start_by);
    }

    #[test]
    fn what_has_begun_does_not_expire_but_times_out() {
        let running = told(&execution(None), 5, "RUNNING").unwrap();
        assert_eq!(seen_after(&running, 599), (Status::InProgress, None));
        assert_eq!(seen_after(&running, 600), (Status::TimedOut, Some(Reason::ExecutionTimeout)));
    }

    #[test]
    fn three_silent_intervals_are_a_lost_heartbeat() {
        let running = told(&execution(Some(30)), 5, "RUNNING").unwrap();
        assert_eq!(seen_after(&running, 94), (Status::InProgress, None));
        assert_eq!(seen_after(&running, 95), (Status::TimedOut, Some(Reason::HeartbeatLost)));
        let running = told(&running, 590, r#"{"status":"IN_PROGRESS","seq":20}"#).unwrap();
        assert_eq!(seen_after(&running, 600), (Status::TimedOut, Some(Reason::ExecutionTimeout)));
    }

    #[test]
    fn what_has_ended_stays_so() {
        let done = told(&execution(Some(30)), 5, "SUCCEEDED").unwrap();
        assert_eq!(seen_after(&done, 99_999), (Status::Succeeded, None));
        assert!(!done.is_late());
    }

    #[test]
    fn a_word_after_the_deadline_is_late_whether_or_not_the_verdict_was_written() {
        let unwritten = execution(None);
        let written = unwritten.apply(&unwritten.give_up(unwritten.overdue(BORN.plus_seconds(60)).unwrap())).unwrap();
        for execution in [unwritten, written] {
            let done = told(&execution, 61, "SUCCEEDED").unwrap();
            assert_eq!((done.status, done.is_late()), (Status::Succeeded, true));
        }
        let begun = told(&execution(None), 5, "RUNNING").unwrap();
        assert!(!told(&begun, 61, "SUCCEEDED").unwrap().is_late());
        assert!(told(&begun, 600, "FAILED").unwrap().is_late());
    }

    #[test]
    fn what_is_known_not_to_be_there_is_sent_again_at_any_time() {
        let execution = execution(None);
        let queued = execution.apply(&execution.queued()).unwrap();
        let refused = execution.apply(&execution.unsent()).unwrap();
        for seconds in [0, 1, 59] {
            assert!(queued.is_to_be_sent(BORN.plus_seconds(seconds)));
            assert!(refused.is_to_be_sent(BORN.plus_seconds(seconds)));
        }
        assert!(!queued.is_to_be_sent(BORN.plus_seconds(60)), "it has expired");
        assert!(!execution.apply(&execution.unacknowledged()).unwrap().is_to_be_sent(BORN.plus_seconds(30)));
        assert!(!execution.apply(&execution.delivered(BORN)).unwrap().is_to_be_sent(BORN.plus_seconds(30)));
        assert!(!told(&execution, 1, "RUNNING").unwrap().is_to_be_sent(BORN.plus_seconds(30)));
    }

    #[test]
    fn what_nobody_touched_is_sent_again_unless_another_request_may_be_sending_it() {
        for delivery in [Delivery::Direct, Delivery::Topic] {
            let execution = Execution::create(&command(delivery, None));
            for (seconds, sent) in [(0, true), (1, false), (9, false), (10, true), (59, true), (60, false)] {
                assert_eq!(execution.is_to_be_sent(BORN.plus_seconds(seconds)), sent, "{delivery:?} {seconds}");
            }
        }
    }

    #[test]
    fn a_report_without_an_id_means_only_what_its_device_may_be_at() {
        let pending = execution(None);
        let after = |seconds| BORN.plus_seconds(seconds);
        let sent = pending.apply(&pending.unacknowledged()).unwrap();
        assert!(sent.may_be_meant(BORN));
        assert!(!sent.may_be_meant(Timestamp::from_millis(BORN.as_millis() - 1)), "it was asked for later");
        assert!(sent.may_be_meant(after(599)), "it has expired, but its device may still be at it");
        assert!(!sent.may_be_meant(after(600)));
        let expired = sent.apply(&sent.give_up(sent.overdue(after(60)).unwrap())).unwrap();
        assert!(expired.may_be_meant(after(61)), "so that its late report is not taken for another's");
        assert!(!told(&sent, 1, "FAILED").unwrap().may_be_meant(after(2)), "its device has ended it");
        assert!(told(&pending, 1, "RUNNING").unwrap().may_be_meant(after(2)));
        assert!(!pending.apply(&pending.queued()).unwrap().may_be_meant(after(1)), "its device has not got it");
        assert!(!pending.apply(&pending.unsent()).unwrap().may_be_meant(after(1)));
        assert!(!pending.may_be_meant(after(10)));
        assert!(pending.may_be_meant(after(9)), "an answer may overtake the proof of its delivery");
    }

    proptest! {
        #[test]
        fn what_was_seen_to_have_ended_by_a_deadline_never_reopens(
            begins in proptest::option::of(0..60u32), first in 0..700u32, later in 0..700u32,
        ) {
            let mut execution = execution(Some(30));
            if let Some(begins) = begins {
                execution = told(&execution, begins, "RUNNING").unwrap();
            }
            let seen = execution.observe(BORN.plus_seconds(first));
            if seen.is_terminal() {
                prop_assert!(execution.observe(BORN.plus_seconds(first + later)).is_terminal());
                // A lost heartbeat is found again: a beat heals it.
                if seen.verdict.is_some_and(|verdict| verdict.reason != Reason::HeartbeatLost) {
                    prop_assert_eq!(told(&execution, first + later, "RUNNING"), None);
                    prop_assert_eq!(told(&execution, first + later, r#"{"status":"IN_PROGRESS","seq":9}"#), None);
                }
            } else {
                // And what is open takes its word.
                let told = told(&execution, first, r#"{"status":"IN_PROGRESS","seq":9}"#);
                prop_assert!(told.is_some());
            }
        }
    }
}
