//! The sentences of an explanation that say why: why a request is not sent or not answered, and why an execution
//! ended.

use crate::execution::channel::Channel;
use crate::execution::history::HistoryEntry;
use crate::execution::row::{Execution, Verdict};
use crate::status::{DeliveryStatus, Reason, Status};

impl Execution {
    /// Whether a sending of this attempt has failed, and is tried again.
    pub(super) fn sending_has_failed(&self) -> bool {
        let failed =
            |entry: &HistoryEntry| entry.attempt == self.attempt && entry.event == DeliveryStatus::Pending.as_str();
        self.next_send_at.is_some() && self.history.last().is_some_and(failed)
    }

    /// Why its request has yet to be sent, where the time of that is known.
    pub(super) fn why_unsent(&self) -> String {
        match self.history.last() {
            Some(last) if last.attempt < self.attempt => {
                let failure = last.event.replacen(' ', ": ", 1);
                format!("Attempt {} came to nothing ({failure}).", last.attempt)
            }
            _ if self.may_be_delivered() => "Nobody knows whether it went out.".to_owned(),
            _ => "It could not be sent.".to_owned(),
        }
    }

    pub(super) fn why_unanswered(&self) -> String {
        let thing = &self.key.thing;
        match &self.channel {
            Channel::Shadow(_) => format!("It is in a shadow of {thing}, whose device has not answered."),
            Channel::Direct | Channel::Topic => format!("It was sent to {thing}, which has not answered."),
            Channel::Broadcast => format!("It goes out to the whole fleet at once, and {thing} has not answered."),
        }
    }

    pub(super) fn why_ended(&self) -> String {
        let Some(outcome) = &self.outcome else {
            return self.verdict.map_or_else(|| "It has ended.".to_owned(), |verdict| self.why_verdict(verdict));
        };
        let code = outcome.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        let max = self.retry.map_or(1, |retry| retry.max_attempts());
        let attempt = if max > 1 { format!(" to attempt {} of {max}", outcome.attempt) } else { String::new() };
        let late = match self.verdict.map(|verdict| verdict.reason) {
            Some(reason) if reason.status() == Status::Canceled => ", after it had been called off",
            Some(_) => ", after it had been given up",
            None if self.is_ended_by_last_failure() => ", and no other attempt went out in time",
            None if self.is_late() => ", after its time",
            None => "",
        };
        format!("The device said {}{code}{attempt}{late}.", self.status)
    }

    fn why_verdict(&self, verdict: Verdict) -> String {
        match verdict.reason {
            Reason::Expired if !self.device_may_have_a_request() && self.withdrawn_early_seconds().is_none() => {
                "It expired before it could go out (EXPIRED).".to_owned()
            }
            Reason::LaneBusy => format!("Its turn in {} did not come in time (LANE_BUSY).", self.own_lane_text()),
            Reason::LaneStopped => {
                let lane = self.own_lane_text();
                format!("An earlier command of {lane} did not succeed, and it stops then (LANE_STOPPED).")
            }
            Reason::Superseded => "A newer command took its place (SUPERSEDED).".to_owned(),
            Reason::CanceledByOperator => {
                let operator = self.verdict_entry().map_or("an operator", |entry| entry.actor.as_str());
                format!("It was called off by {operator} (CANCELED_BY_OPERATOR){}", self.why_canceled())
            }
            reason => match self.withdrawn_early_seconds() {
                Some(seconds) => format!(
                    "It was withdrawn from its shadow {seconds} s before its ttl was over, since too many others end with \
                     it to remove all of them then ({reason})."
                ),
                None => format!("It was given up for {reason}{}", self.why_canceled()),
            },
        }
    }

    /// The end of a sentence about a cancel: why, where that is known.
    fn why_canceled(&self) -> String {
        match self.verdict_entry().and_then(|entry| entry.why.as_deref()) {
            Some(why) => format!(": {why}."),
            None => ".".to_owned(),
        }
    }

    /// Whether the device may have received the request of any attempt.
    pub(super) fn device_may_have_a_request(&self) -> bool {
        self.may_be_delivered() || self.attempt > 1
    }

    /// Whether it is in a lane in which no execution waits.
    pub(super) fn is_in_lane_without_waiting(&self) -> bool {
        self.lane.as_ref().is_some_and(|lane| lane.name.holds_only_desired_states())
    }

    pub(super) fn own_lane_text(&self) -> String {
        self.lane.as_ref().map_or_else(|| "its lane".to_owned(), |lane| super::text::lane_text(&lane.name))
    }
}
