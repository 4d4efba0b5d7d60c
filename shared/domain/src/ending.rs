//! How an execution ends, or begins again: by a device's word, by the cloud's guess, because someone called it off.

use crate::{
    Attempt, By, Change, DeliveryStatus, DueEntry, Execution, Fact, Failure, Guard, Key, Outcome, Progress, Rank,
    Reason, Report, ReportPath, Reported, Status, Step, Timestamp, Verdict,
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
    /// request, so every report proves delivery too. One that ends an execution writes only where nothing is left to do
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
                (Guard::GrowsUnbound { attempt }, Fact::Finished { outcome, withdrawn: false }, DueEntry::Remove)
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
        change.guard = Guard::Grows { attempt: report.attempt };
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
        change.due = self.due_after_end(at, withdrawn);
        Some(change)
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
            delivery_status: None,
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

    /// The entry that its end leaves: someone may wait behind it in its lane, so that is looked at at once; what is only in a
    /// shadow is looked at when it would have been.
    fn due_after_end(&self, now: Timestamp, withdrawn: bool) -> DueEntry {
        match (self.in_lane, self.withdraw && !withdrawn) {
            (true, _) => DueEntry::At(now.as_seconds()),
            (false, true) if self.due_at.is_some() => DueEntry::Keep,
            (false, true) => DueEntry::At(now.as_seconds()),
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
