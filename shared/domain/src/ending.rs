//! How an execution ends, or begins again: by a device's word, by the cloud's guess, because someone called it off.

use crate::{
    Attempt, By, Change, DeliveryStatus, DueEntry, Execution, Fact, Failure, Guard, Key, Outcome, Progress, Rank,
    Reason, Report, ReportPath, Reported, Status, Step, Timestamp, Verdict, Via,
};

/// Why an execution can't be called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanceled {
    /// It was called off before.
    #[error("it has been canceled")]
    Already,
    /// It has ended otherwise.
    #[error("it has ended: it is {0}")]
    Ended(Status),
    /// Its device has begun.
    #[error("its device has begun: only force cancels it")]
    Running,
}

impl Report {
    /// What this report writes into the execution it is about, when it has arrived at this time. Whoever answers has the
    /// request, so every report proves delivery too. What one that ends an execution writes depends on what is left to do
    /// then: whoever has the row says more ([`Execution::finish`]).
    pub fn change(&self, key: Key, at: Timestamp) -> Change {
        let (rank, status, seq) = match self.reported {
            Reported::InProgress { seq: 0 } => (Rank::Accepted, Status::InProgress, 0),
            Reported::InProgress { seq } => (Rank::Running, Status::InProgress, seq),
            Reported::Succeeded => (Rank::Succeeded, Status::Succeeded, 0),
            Reported::Failed => (Rank::Failed, Status::Failed, 0),
            Reported::Rejected => (Rank::Failed, Status::Rejected, 0),
            Reported::TimedOut => (Rank::Failed, Status::TimedOut, 0),
        };
        let attempt = self.attempt;
        let (guard, fact, due) = match self.reported {
            Reported::InProgress { .. } => (Guard::Grows { attempt }, Fact::Heard(at, self.path), DueEntry::Keep),
            _ => {
                let outcome = Box::new(self.outcome(at));
                (Guard::Grows { attempt }, Fact::Finished { outcome, withdrawn: false }, DueEntry::Remove)
            }
        };
        Change {
            key,
            guard,
            progress: Progress::new(attempt, rank, seq),
            status,
            delivery_status: Some(DeliveryStatus::Delivered),
            fact,
            due,
            step: None,
        }
    }

    fn outcome(&self, at: Timestamp) -> Outcome {
        Outcome {
            attempt: self.answers,
            code: self.code.clone(),
            description: self.description.clone(),
            result: self.result.clone(),
            at,
            path: self.path,
        }
    }
}

impl Execution {
    /// What a report that ends this attempt writes into this row: another attempt, if its policy names what was reported and
    /// there is time for it; else its end, with the due entry kept for what is left to do then. None if it ends nothing, or is
    /// old news.
    ///
    /// `withdrawn`: its request is known to be gone from its shadow.
    pub fn finish(&self, report: &Report, at: Timestamp, withdrawn: bool) -> Option<Change> {
        let mut change = report.change(self.key.clone(), at);
        if !change.is_terminal() || self.apply(&change).is_none() {
            return None;
        }
        let failure = Failure::reported(report.reported).filter(|_| report.attempt == self.attempt);
        if let Some(failure) = failure.filter(|failure| !self.is_terminal() && self.may_ask_again(*failure, at)) {
            let what = report.code.as_ref().map_or(failure.as_str(), |code| code.as_str());
            return Some(self.again(failure, at, what, By::device()));
        }
        if let Fact::Finished { withdrawn: gone, .. } = &mut change.fact {
            *gone = withdrawn;
        }
        // What is left to do then is what was seen.
        change.guard = Guard::Seen(self.seen());
        change.due = self.due_after_end(at, withdrawn);
        Some(change)
    }

    /// A report of an earlier attempt, as one of this: a device that was only slow to answer, or whose beats were lost, is at the
    /// first request that it got, and refuses the others meanwhile. Only the cloud's guess has ended that attempt, then, and
    /// nothing has been heard since. One that does not say its attempt is about this one, as far as anybody can tell.
    pub fn takes_up(&self, report: &Report) -> Option<Report> {
        let ended = |step: &Step| step.attempt >= report.attempt && Failure::is_guess(&step.what) == Some(false);
        let taken = match report.says_attempt {
            false => true,
            true => self.heard_at.is_none() && !self.steps.iter().any(ended),
        };
        let earlier = report.attempt < self.attempt && self.outcome.is_none();
        let answers = if report.says_attempt { report.answers } else { self.attempt };
        (earlier && taken).then(|| Report { attempt: self.attempt, says_attempt: true, answers, ..report.clone() })
    }

    /// Whether a report that ends it would end it for good: then it may be withdrawn first, which saves two writes.
    pub fn would_end(&self, report: &Report, at: Timestamp) -> bool {
        self.finish(report, at, true).is_some_and(|change| change.is_terminal())
    }

    /// When the device was heard of by a change that is no news otherwise: its beat says nothing new, but that it lives. A
    /// device that answers in text can't count its beats.
    pub fn beat(&self, change: &Change) -> Option<Change> {
        let (Fact::Heard(..), Guard::Grows { attempt }, Some(_)) = (&change.fact, change.guard, self.heartbeat) else {
            return None;
        };
        let beat = Change { guard: Guard::Runs { attempt }, progress: self.progress, ..change.clone() };
        self.apply(&beat).map(|_| beat)
    }

    /// The cloud's guess, once a deadline has passed.
    pub(crate) fn give_up(&self, verdict: Verdict, now: Timestamp) -> Change {
        self.guess(verdict, Rank::TimedOut, self.due_after_end(now, false), None)
    }

    /// Calls it off: only what has not begun, unless it is forced.
    pub fn cancel(&self, reason: Reason, now: Timestamp, force: bool, by: By) -> Result<Change, NotCanceled> {
        match self.observe(now).status {
            Status::Canceled => return Err(NotCanceled::Already),
            Status::InProgress if !force => return Err(NotCanceled::Running),
            Status::Created | Status::InProgress => {}
            ended => return Err(NotCanceled::Ended(ended)),
        }
        let verdict = Verdict { reason, at: now };
        let step = Step { at: now, attempt: self.attempt, what: reason.to_string(), by, via: None };
        Ok(self.guess(verdict, Rank::Canceled, self.due_after_end(now, false), Some(step)))
    }

    fn guess(&self, verdict: Verdict, rank: Rank, due: DueEntry, step: Option<Step>) -> Change {
        Change {
            key: self.key.clone(),
            guard: Guard::Seen(self.seen()),
            progress: Progress::new(self.attempt, rank, 0),
            status: verdict.reason.status(),
            // A row is stored as sent before its fleet is: that it was not is known only now.
            delivery_status: (self.via == Via::Broadcast).then_some(self.delivery_status),
            fact: Fact::GaveUp(verdict),
            due,
            step,
        }
    }

    /// The next attempt, after this one has come to nothing at this time.
    pub(crate) fn again(&self, failure: Failure, at: Timestamp, what: &str, by: By) -> Change {
        let attempt: Attempt = self.attempt.saturating_add(1);
        let delay = self.retry.map_or(0, |retry| retry.delay(&self.key.id, self.attempt));
        let send_at = at.plus_seconds(delay);
        let what = if what == failure.as_str() { what.to_owned() } else { format!("{} {what}", failure.as_str()) };
        Change {
            key: self.key.clone(),
            guard: Guard::Seen(self.seen()),
            progress: Progress::new(attempt, Rank::Created, 0),
            status: Status::Created,
            delivery_status: Some(DeliveryStatus::Pending),
            fact: Fact::Again { attempt, send_at },
            due: DueEntry::At(send_at.as_seconds_rounded_up()),
            step: Some(Step { at, attempt: self.attempt, what, by, via: None }),
        }
    }

    /// That what was left to do after its end is done.
    pub(crate) fn cleared(&self) -> Change {
        Change { fact: Fact::Cleared, due: DueEntry::Remove, ..self.tidied() }
    }

    /// That it could not be seen to just now: it is looked at again, after whatever else is due.
    pub fn postponed(&self, now: Timestamp) -> Option<Change> {
        self.due_at.filter(|due| *due < now.as_seconds()).map(|_| self.looked_at(now.as_seconds()))
    }

    /// That it is looked at sooner than it would be, since its device could fall silent before.
    pub fn looked_at_sooner(&self) -> Option<Change> {
        let silent = self.silent_at.filter(|_| !self.is_terminal())?.as_seconds_rounded_up();
        self.due_at.filter(|due| *due > silent).map(|_| self.looked_at(silent))
    }

    /// That it waits for its turn, and whoever leaves its lane sees to it.
    pub fn waits(&self) -> Change {
        Change { fact: Fact::Waits, due: DueEntry::At(self.start_by.as_seconds_rounded_up()), ..self.tidied() }
    }

    /// That it is looked at again at another time.
    pub(crate) fn looked_at(&self, at: i64) -> Change {
        Change { due: DueEntry::At(at), ..self.tidied() }
    }

    fn tidied(&self) -> Change {
        Change {
            key: self.key.clone(),
            guard: Guard::Seen(self.seen()),
            progress: self.progress,
            status: self.status,
            delivery_status: None,
            fact: Fact::Nothing,
            due: DueEntry::Keep,
            step: None,
        }
    }

    /// The entry that its end leaves: what is left to do is looked at at once, if it is not done before.
    fn due_after_end(&self, now: Timestamp, withdrawn: bool) -> DueEntry {
        match (self.in_lane, self.withdraw && !withdrawn) {
            (true, _) | (_, true) => DueEntry::At(now.as_seconds()),
            (false, false) => DueEntry::Remove,
        }
    }
}

/// By which way a report came: see [`Report::path`].
impl ReportPath {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Shadow => "shadow",
        }
    }

    /// The one that this word says; MQTT, if it says none.
    pub fn from_stored(word: &str) -> Self {
        if word == "shadow" { Self::Shadow } else { Self::Mqtt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Asked, Delivery, Lane, LaneName, OnFailure, Owed, Retry, Topic, Via,
        execution::tests::{BORN, command, create, told},
    };

    fn retrying() -> Execution {
        let mut command = command(Delivery::Topic, None);
        let on = Some(vec!["NO_RESPONSE", "FAILED"]);
        let asked = Asked { on, wait: Some(10), base: Some(0), cap: Some(0), ..Asked::default() };
        command.definition.retry = Some(Retry::new(&asked, 60).unwrap());
        Execution::create(&command, &crate::execution::tests::thing(), Via::Topic, 60)
    }

    fn said(row: &Execution, text: &str) -> Report {
        Report::decode(Topic::response(&row.key.thing).as_str(), text.as_bytes()).unwrap()
    }

    /// The row after what is owed to it so many seconds after its creation, sent again where that is owed.
    fn later(row: &Execution, seconds: u32) -> Execution {
        let now = BORN.plus_seconds(seconds);
        match row.owed(now) {
            Owed::Change(change) => later(&row.apply(&change).unwrap(), seconds),
            Owed::Send => {
                let claimed = row.apply(&row.claim(now, "me").unwrap()).unwrap();
                claimed.apply(&claimed.sent(now, By::device())).unwrap()
            }
            _ => row.clone(),
        }
    }

    #[test]
    fn a_device_that_was_only_slow_is_heard_on_its_first_attempt() {
        let asked_again = later(&retrying(), 10);
        assert_eq!((asked_again.attempt, asked_again.status), (2, Status::Created));
        let report = said(&asked_again, r#"{"status":"RUNNING","attempt":1}"#);
        assert_eq!(asked_again.apply(&report.change(asked_again.key.clone(), BORN.plus_seconds(11))), None);
        let taken = asked_again.takes_up(&report).unwrap();
        let running = asked_again.apply(&taken.change(asked_again.key.clone(), BORN.plus_seconds(11))).unwrap();
        assert_eq!(running.status, Status::InProgress);
        assert_eq!(running.takes_up(&report), None, "what is heard of goes by its own attempt");
    }

    #[test]
    fn a_late_failure_of_an_attempt_that_the_cloud_gave_up_counts() {
        let given_up = later(&later(&later(&retrying(), 10), 20), 60);
        assert_eq!((given_up.attempt, given_up.status), (3, Status::TimedOut));
        let taken = given_up.takes_up(&said(&given_up, r#"{"status":"FAILED","attempt":1}"#)).unwrap();
        let change = given_up.finish(&taken, BORN.plus_seconds(61), false).unwrap();
        let failed = given_up.apply(&change).unwrap();
        assert_eq!((failed.status, failed.is_late()), (Status::Failed, true));
        assert_eq!((failed.attempt, failed.outcome.as_ref().map(|outcome| outcome.attempt)), (3, Some(1)));
        assert_eq!(failed.takes_up(&said(&failed, "FAILED")), None, "its word is final");
    }

    #[test]
    fn what_a_device_has_ended_itself_is_not_taken_up_again() {
        let row = retrying();
        let report = said(&row, r#"{"status":"FAILED","attempt":1}"#);
        let again = row.apply(&row.finish(&report, BORN.plus_seconds(5), false).unwrap()).unwrap();
        assert_eq!(again.attempt, 2);
        assert_eq!(again.takes_up(&report), None);
        let silent = said(&row, "FAILED");
        let taken = again.takes_up(&silent).unwrap();
        assert_eq!((taken.attempt, taken.answers), (2, 2), "it does not say which attempt it means");
    }

    #[test]
    fn one_that_begins_late_is_looked_at_before_it_could_fall_silent() {
        let row = create(Delivery::Direct, Some(5));
        let waited = Execution { due_at: Some(row.start_by.as_seconds_rounded_up()), ..row.clone() };
        let running = told(&waited, 20, "RUNNING").unwrap();
        let sooner = running.apply(&running.looked_at_sooner().unwrap()).unwrap();
        assert_eq!(sooner.due_at, Some(BORN.plus_seconds(35).as_seconds_rounded_up()));
        assert_eq!(sooner.looked_at_sooner(), None);
        assert_eq!(told(&row, 1, "RUNNING").unwrap().looked_at_sooner(), None, "it is looked at as soon as that");
    }

    #[test]
    fn whoever_fails_again_and_again_lets_others_go_first() {
        let row = create(Delivery::Direct, None);
        assert_eq!(row.postponed(BORN), None, "it is not due");
        let now = BORN.plus_seconds(90);
        let later = row.apply(&row.postponed(now).unwrap()).unwrap();
        assert_eq!((later.due_at, later.status), (Some(now.as_seconds()), Status::Created));
        assert_eq!(later.postponed(now), None);
    }

    #[test]
    fn someone_sees_whether_its_turn_has_come_if_its_creator_did_not_live_to() {
        let mut command = command(Delivery::Topic, None);
        command.definition.lane = Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure: OnFailure::Stop });
        let row = Execution::create(&command, &crate::execution::tests::thing(), Via::Topic, 60);
        assert_eq!(row.due_at, Some(BORN.plus_seconds(10).as_seconds_rounded_up()));
        assert_eq!(row.owed(BORN.plus_seconds(9)), Owed::Nothing);
        assert_eq!(row.owed(BORN.plus_seconds(11)), Owed::Turn);
        let waiting = row.apply(&row.waits()).unwrap();
        assert_eq!(waiting.due_at, Some(row.start_by.as_seconds_rounded_up()));
        assert_eq!(waiting.owed(BORN.plus_seconds(11)), Owed::Nothing);
        assert!(waiting.claim(BORN.plus_seconds(30), "me").is_some(), "whoever leaves the lane sends it");
    }
}
