//! Why an execution is where it is, and what happens next: in plain words, for whoever asks.

use crate::{
    Attempt, DeliveryStatus, Execution, LaneName, Reason, Retry, Status, Step, Timestamp, Verdict, Via,
    execution::{Next, NextStep},
};

/// Why an execution is where it is, and what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Why: a sentence.
    pub why: String,
    /// What happens next if nothing is heard, if anything does.
    pub next: Option<Upcoming>,
    /// What could still happen, where nothing has to.
    pub still: &'static str,
}

/// What happens next, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// When; it may have passed, for as long as nobody has done it.
    pub at: Timestamp,
    /// What.
    pub what: WhatNext,
    /// Whether it has to be done already.
    due: bool,
}

/// What an execution comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhatNext {
    /// Its request goes out.
    GoesOut {
        /// In which attempt.
        attempt: Attempt,
        /// Of how many.
        of: Attempt,
        /// Whether it may have gone out already: only if nobody says so.
        again: bool,
    },
    /// This attempt comes to nothing, unless its device is heard of.
    AsksAgain {
        /// What its device has to do until then.
        unless: &'static str,
        /// The next attempt.
        attempt: Attempt,
        /// Of how many.
        of: Attempt,
    },
    /// It is given up.
    GivenUp {
        /// Unless this happens.
        unless: &'static str,
        /// Why.
        reason: Reason,
    },
    /// What is left to do after its end is done.
    Concluded {
        /// It is removed from its shadow.
        withdraw: bool,
        /// It leaves this lane.
        leave: Option<LaneName>,
    },
}

impl Explanation {
    /// The same as text. `show` writes an instant.
    pub fn text(&self, show: impl Fn(Timestamp) -> String) -> String {
        let next = self.next.as_ref().map(|next| next.text(show)).unwrap_or_default();
        let parts = [self.why.as_str(), self.still, &next];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl Upcoming {
    fn text(&self, show: impl Fn(Timestamp) -> String) -> String {
        let at = show(self.at);
        match &self.what {
            WhatNext::GoesOut { attempt, of, again } => {
                let what = if *of > 1 { format!("Attempt {attempt} of {of}") } else { "It".to_owned() };
                if *again && !self.due {
                    let what = if *of > 1 { format!("attempt {attempt} of {of}") } else { "it".to_owned() };
                    format!("Unless it is known by {at} that it went out, {what} goes out again.")
                } else if self.due {
                    format!("{what} has been due since {at}.")
                } else {
                    format!("{what} goes out at {at}.")
                }
            }
            WhatNext::AsksAgain { unless, attempt, of } => {
                format!("If {unless} by {at}, attempt {attempt} of {of} follows.")
            }
            WhatNext::GivenUp { unless, reason: Reason::Expired } => format!("If {unless}, it expires at {at}."),
            WhatNext::GivenUp { unless, reason } => format!("If {unless} by {at}, it is given up ({reason})."),
            WhatNext::Concluded { withdraw, leave } => {
                let left = match (withdraw, leave) {
                    (true, Some(lane)) => format!("withdrawn from its shadow and taken out of {}", named(lane)),
                    (true, None) => "withdrawn from its shadow".to_owned(),
                    (false, Some(lane)) => format!("taken out of {}", named(lane)),
                    (false, None) => "taken off the list of what is due".to_owned(),
                };
                if self.due { format!("It has yet to be {left}.") } else { format!("It is {left} at {at}.") }
            }
        }
    }
}

impl Execution {
    /// Why it is where it is at this time, and what happens next.
    pub fn explain(&self, now: Timestamp) -> Explanation {
        let row = self.as_good_as(now);
        if row.is_terminal() { row.ending(now) } else { row.waiting(now) }
    }

    /// What is true at this time, whether or not anyone has written so yet: an attempt that has come to nothing is over too.
    fn as_good_as(&self, now: Timestamp) -> Self {
        let seen = self.observe(now);
        match seen.next(now) {
            Next { at, what: NextStep::Again(failure) } if !seen.is_terminal() && at <= now => {
                let again = seen.again(failure, at, failure.as_str(), crate::By::device());
                seen.apply(&again).unwrap_or(seen)
            }
            _ => seen,
        }
    }

    fn waiting(&self, now: Timestamp) -> Explanation {
        let (attempt, of) = (self.attempt, self.retry.as_ref().map_or(1, Retry::attempts));
        let thing = &self.key.thing;
        let Next { at, what } = match self.turn_at().filter(|_| self.has_failed()) {
            Some(at) => Next { at, what: NextStep::Send },
            None => self.next(now),
        };
        let (why, unless) = match (self.status, self.delivery_status) {
            (Status::InProgress, _) if matches!(what, NextStep::GiveUp(Reason::ExecutionTimeout)) => {
                ("Its device runs it.".to_owned(), "it has not finished")
            }
            (Status::InProgress, _) => ("Its device runs it.".to_owned(), "its device is not heard of"),
            _ if self.is_being_sent(now) && !self.has_failed() => ("It is being sent.".to_owned(), ""),
            _ if what == NextStep::Send => (self.unsent_because(), ""),
            _ if self.waits_in_lane() && !self.goes_at_once() => {
                (format!("It waits for its turn in {}.", self.lane_name()), "that has not come")
            }
            (_, DeliveryStatus::Queued) => (format!("It waits for {thing} to connect."), "that does not happen"),
            (_, DeliveryStatus::Pending) if self.may_be_under_way(now) => {
                ("It is being sent.".to_owned(), "that does not succeed")
            }
            (_, DeliveryStatus::Pending) if self.is_untouched() => (
                format!(
                    "{}: its creation was cut short, and the same request with its Idempotency-Key sends it.",
                    if self.may_be_out() { "Nobody knows whether it went out" } else { "It has not gone out" }
                ),
                "that does not happen",
            ),
            (_, DeliveryStatus::Pending) => (self.unsent_because(), "it has not begun"),
            (_, DeliveryStatus::Sent) => (self.out_by(), "it has not begun"),
            (_, DeliveryStatus::Delivered) => ("Its device has it, and has not begun.".to_owned(), "it has not begun"),
        };
        let what = match what {
            NextStep::Send => WhatNext::GoesOut { attempt, of, again: self.is_being_sent(now) },
            NextStep::Again(_) => WhatNext::AsksAgain { unless, attempt: attempt.saturating_add(1), of },
            NextStep::GiveUp(reason) => WhatNext::GivenUp { unless, reason },
        };
        Explanation { why, next: Some(Upcoming { at, what, due: at <= now }), still: "" }
    }

    fn ending(&self, now: Timestamp) -> Explanation {
        let withdraw = self.withdraw;
        let leave = self.lane.as_ref().filter(|_| self.in_lane).map(|lane| lane.name.clone());
        let next = (withdraw || leave.is_some()).then(|| {
            let at = self.due_at.map_or(now, Timestamp::from_seconds);
            Upcoming { at, what: WhatNext::Concluded { withdraw, leave }, due: at <= now }
        });
        let still = match &self.outcome {
            None if self.may_have_been_heard() => "A late answer of the device would still count.",
            _ if next.is_none() => "Nothing more will happen.",
            _ => "",
        };
        Explanation { why: self.ended_because(), next, still }
    }

    /// Whether its sending has failed in this attempt, and it goes out again later.
    fn has_failed(&self) -> bool {
        let failed = |step: &Step| step.attempt == self.attempt && step.what == DeliveryStatus::Pending.as_str();
        self.send_at.is_some() && self.steps.last().is_some_and(failed)
    }

    /// Why its request has yet to go out, at a time that is known.
    fn unsent_because(&self) -> String {
        match self.steps.last() {
            Some(last) if last.attempt < self.attempt => {
                let what = last.what.replacen(' ', ": ", 1);
                format!("Attempt {} came to nothing ({what}).", last.attempt)
            }
            _ if self.may_be_out() => "Nobody knows whether it went out.".to_owned(),
            _ => "It could not be sent.".to_owned(),
        }
    }

    fn out_by(&self) -> String {
        let thing = &self.key.thing;
        match &self.via {
            Via::Shadow(_) => format!("It is in a shadow of {thing}, whose device has not answered."),
            Via::Direct | Via::Topic => format!("It was sent to {thing}, which has not answered."),
            Via::Broadcast => format!("It goes out to the whole fleet at once, and {thing} has not answered."),
        }
    }

    fn ended_because(&self) -> String {
        let Some(outcome) = &self.outcome else {
            return self.verdict.map_or_else(|| "It has ended.".to_owned(), |verdict| self.guessed_because(verdict));
        };
        let code = outcome.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        let of = self.retry.map_or(1, |retry| retry.attempts());
        let attempt = if of > 1 { format!(" to attempt {} of {of}", outcome.attempt) } else { String::new() };
        let late = match self.verdict.map(|verdict| verdict.reason) {
            Some(reason) if reason.status() == Status::Canceled => ", after it had been called off",
            Some(_) => ", after it had been given up",
            None if self.is_late() => ", after its time",
            None => "",
        };
        format!("The device said {}{code}{attempt}{late}.", self.status)
    }

    fn guessed_because(&self, verdict: Verdict) -> String {
        let sent = self.may_have_been_heard();
        match verdict.reason {
            Reason::Expired if !sent => "It expired before it could go out (EXPIRED).".to_owned(),
            Reason::LaneBusy => {
                format!("Its turn in {} did not come in time (LANE_BUSY).", self.lane_name())
            }
            Reason::LaneStopped => {
                format!("An earlier command of {} did not succeed, and it stops then (LANE_STOPPED).", self.lane_name())
            }
            Reason::Superseded => "A newer command took its place (SUPERSEDED).".to_owned(),
            Reason::CanceledByOperator => {
                let word = verdict.reason.as_str();
                let by = self.steps.iter().rfind(|step| step.what == word).map(|step| step.by.as_str());
                format!("It was called off by {} (CANCELED_BY_OPERATOR).", by.unwrap_or("an operator"))
            }
            reason => format!("It was given up for {reason}."),
        }
    }

    /// Whether its device may have been asked.
    fn may_have_been_heard(&self) -> bool {
        self.may_be_out() || self.attempt > 1
    }

    /// Whether nobody waits in its lane, so that it is about to go out.
    fn goes_at_once(&self) -> bool {
        self.lane.as_ref().is_some_and(|lane| lane.name.is_of_state())
    }

    fn lane_name(&self) -> String {
        self.lane.as_ref().map_or_else(|| "its lane".to_owned(), |lane| named(&lane.name))
    }
}

fn named(lane: &LaneName) -> String {
    match lane.as_str().strip_prefix('$') {
        None => format!("its lane {}", lane.as_str()),
        Some(_) => "the lane of its shadow".to_owned(),
    }
}

#[cfg(test)]
mod tests;
