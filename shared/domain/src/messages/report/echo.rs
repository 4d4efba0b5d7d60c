//! Which execution a report is about that echoes a raw request: the request names none, so its bytes are looked up.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::execution::row::Execution;
use crate::ids::ExecutionId;
use crate::timestamp::Timestamp;

/// A hash of a request's bytes: 26 characters of `a-z` and `2-7`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestDigest(String);

impl RequestDigest {
    /// The digest of a request.
    pub fn of(request: &[u8]) -> Self {
        let mut text = BASE32_NOPAD.encode(&Sha256::digest(request)).to_ascii_lowercase();
        text.truncate(26);
        Self(text)
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The executions of one thing whose raw requests have the same bytes and may still be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawRequests {
    /// The executions, and when they end at the latest, in the order in which they were noted.
    pub executions: Vec<(ExecutionId, Timestamp)>,
    /// When the last of those ends at the latest that were dropped, since there were too many.
    pub dropped_until: Option<Timestamp>,
}

/// The execution that an echoed request is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EchoMatch {
    /// This one.
    Execution(ExecutionId),
    /// One of several: it can't be known which.
    Ambiguous,
    /// None that is open, so the report changes nothing.
    NotFound,
}

impl RawRequests {
    /// The most executions that are kept: as many as a lane has.
    pub const MAX: usize = 100;

    /// These and one more, without those that have ended at `now`; none if nothing is to be noted: the execution is one
    /// of them, or has ended itself.
    #[must_use]
    pub fn with(&self, execution: &Execution, now: Timestamp) -> Option<Self> {
        let (id, end) = (&execution.key.id, execution.finish_by);
        if end <= now || self.executions.iter().any(|(noted, _)| noted == id) {
            return None;
        }
        let mut executions: Vec<_> = self.executions.iter().filter(|(_, end)| *end > now).cloned().collect();
        executions.push((id.clone(), end));
        let dropped = executions.len().saturating_sub(Self::MAX);
        let dropped_until = executions.drain(..dropped).map(|(_, end)| end).max();
        Some(Self { executions, dropped_until: dropped_until.max(self.dropped_until) })
    }

    /// Whether an execution that was dropped may be what a report at `at` is about.
    pub fn may_lack(&self, at: Timestamp) -> bool {
        self.dropped_until.is_some_and(|until| at < until)
    }

    /// Whether nothing is known of such a request: no execution of ours has it.
    pub fn is_unknown(&self) -> bool {
        self.executions.is_empty() && self.dropped_until.is_none()
    }
}

impl EchoMatch {
    /// The execution, of these of one request, that a report is about which arrives at `at`.
    ///
    /// A device may repeat its answer, and MQTT may. So a report counts only where one execution is open, and no other
    /// one has been answered since that one was sent. One that has been answered at `at` or later was so by this very
    /// report, which is handled again.
    pub fn of(executions: &[Execution], at: Timestamp) -> Self {
        let last_answer = executions.iter().filter_map(|row| row.outcome.as_ref()).map(|outcome| outcome.at).max();
        if last_answer.is_some_and(|answer| answer >= at) {
            return Self::NotFound;
        }
        let mut open = executions.iter().filter(|row| row.matches_unnamed_report(at));
        match (open.next(), open.next()) {
            (None, _) => Self::NotFound,
            (Some(row), None) => {
                // Where it was sent several times, the time is that of the last.
                let was_sent_once = row.attempt == 1 && !row.maybe_delivered;
                let sent_at = row.sent_at.filter(|_| was_sent_once).unwrap_or(row.created_at);
                match last_answer.is_some_and(|answer| answer > sent_at) {
                    true => Self::Ambiguous,
                    false => Self::Execution(row.key.id.clone()),
                }
            }
            (Some(_), Some(_)) => Self::Ambiguous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::channel::Channel;
    use crate::execution::fixtures::{CREATED_AT, command, thing};
    use crate::ids::CommandId;
    use crate::messages::report::device_report::Report;

    /// An execution that was created this many seconds later, and sent.
    fn sent(after: u32) -> Execution {
        let mut command = command(Delivery::Topic, None);
        command.created_at = CREATED_AT.plus_seconds(after);
        command.id = CommandId::from_request(command.created_at, "request");
        Execution::create(&command, &thing(), Channel::Topic)
    }

    /// The same, answered this many seconds after the first creation.
    fn answered(row: &Execution, after: u32) -> Execution {
        let report = Report::decode("cmd/pump-7/resp", b"SUCCESS").unwrap();
        let change = row.finish(&report, CREATED_AT.plus_seconds(after), false).unwrap();
        row.apply(&change).unwrap()
    }

    fn id(row: &Execution) -> ExecutionId {
        row.key.id.clone()
    }

    #[test]
    fn an_echo_is_that_of_the_only_open_execution() {
        let (first, second) = (sent(0), sent(10));
        let at = |after| CREATED_AT.plus_seconds(after);
        assert_eq!(EchoMatch::of(&[], at(1)), EchoMatch::NotFound);
        assert_eq!(EchoMatch::of(std::slice::from_ref(&first), at(1)), EchoMatch::Execution(id(&first)));
        let rows = [answered(&first, 5), second.clone()];
        assert_eq!(EchoMatch::of(&rows, at(11)), EchoMatch::Execution(id(&second)));
        assert_eq!(EchoMatch::of(&rows, at(5)), EchoMatch::NotFound, "the event of the first is handled again");
        assert_eq!(EchoMatch::of(&[first.clone(), second.clone()], at(11)), EchoMatch::Ambiguous);
        assert_eq!(
            EchoMatch::of(&[first.clone(), answered(&second, 12)], at(13)),
            EchoMatch::Ambiguous,
            "the second may be answered again"
        );
        assert_eq!(EchoMatch::of(std::slice::from_ref(&first), first.finish_by), EchoMatch::NotFound);
        assert_eq!(EchoMatch::of(&[answered(&first, 5)], at(6)), EchoMatch::NotFound);
    }

    #[test]
    fn a_sent_execution_behind_an_answered_one_is_open() {
        // Both are in a lane: the second is sent when the first has been answered, by a claim.
        let (first, second) = (sent(0), sent(1));
        let mut claimed = Execution { sent_at: Some(CREATED_AT.plus_seconds(5)), ..second };
        claimed.history = answered(&first, 5).history.clone();
        let rows = [answered(&first, 5), claimed.clone()];
        assert_eq!(EchoMatch::of(&rows, CREATED_AT.plus_seconds(5)), EchoMatch::NotFound, "the event is handled again");
        assert_eq!(EchoMatch::of(&rows, CREATED_AT.plus_seconds(6)), EchoMatch::Execution(id(&claimed)));
        let answered_later = [answered(&first, 6), claimed.clone()];
        assert_eq!(EchoMatch::of(&answered_later, CREATED_AT.plus_seconds(7)), EchoMatch::Ambiguous);
    }

    #[test]
    fn executions_are_kept_until_they_end_and_dropped_ones_are_known() {
        let mut requests = RawRequests::default();
        let rows: Vec<Execution> = (0..101).map(sent).collect();
        for row in &rows[..100] {
            requests = requests.with(row, CREATED_AT).unwrap();
            assert_eq!(requests.with(row, CREATED_AT), None, "noting it twice changes nothing");
        }
        assert!(!requests.may_lack(CREATED_AT));
        let full = requests.with(&rows[100], CREATED_AT).unwrap();
        assert_eq!((full.executions.len(), full.dropped_until), (100, Some(rows[0].finish_by)));
        assert!(full.may_lack(CREATED_AT) && !full.may_lack(rows[0].finish_by));
        // Those that have ended leave their places.
        let later = requests.with(&rows[100], rows[49].finish_by).unwrap();
        assert_eq!((later.executions.len(), later.dropped_until), (51, None));
        assert_eq!(RawRequests::default().with(&rows[0], rows[0].finish_by), None, "it has ended");
    }

    #[test]
    fn digests_differ_with_the_bytes() {
        assert_eq!(RequestDigest::of(b"").as_str().len(), 26);
        assert_ne!(RequestDigest::of(b"light: on"), RequestDigest::of(b"light: of"));
    }
}
