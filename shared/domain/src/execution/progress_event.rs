//! The progress events of a command for one thing: which writes of its row have one, what it tells, and its number.

use crate::command::audit::AuditEntry;
use crate::execution::channel::Channel;
use crate::execution::progress::Attempt;
use crate::execution::row::Execution;
use crate::status::{DeliveryStatus, Status};

/// What a progress event tells of an execution. A write that changes nothing of it has no event: a heartbeat, a due
/// entry, a clean-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionSummary<'a> {
    /// The status.
    pub status: Status,
    /// How far the request of the current attempt has come.
    pub delivery_status: DeliveryStatus,
    /// The current attempt.
    pub attempt: Attempt,
    /// How its requests reach the device.
    pub channel: &'a Channel,
    /// The code that explains the status.
    pub reason: Option<&'a str>,
    /// The device's reason as a sentence.
    pub reason_description: Option<&'a str>,
    /// Whether the device reported the end after a verdict.
    pub late: bool,
    /// Of a canceled execution whose device may have the request: whether the device has confirmed that it has stopped.
    pub stop_confirmed: Option<bool>,
    /// The operator's cancel.
    pub cancel: Option<AuditEntry>,
}

impl Execution {
    /// What a progress event tells of this row.
    pub fn summary(&self) -> ExecutionSummary<'_> {
        ExecutionSummary {
            status: self.status,
            delivery_status: self.delivery_status,
            attempt: self.attempt,
            channel: &self.channel,
            reason: self.reason_code(),
            reason_description: self.outcome.as_ref().and_then(|outcome| outcome.description.as_deref()),
            late: self.is_late(),
            stop_confirmed: self.stop_confirmed(),
            cancel: self.operators_cancel(),
        }
    }

    /// The sequence number of the progress event about the write that made this row of the row `before`; none if the
    /// write has no event.
    ///
    /// Every write that changes the summary has greater progress, but for the confirmation of a stop, which a row gets
    /// once. So the sum of both grows with each event. It is less than 2^53, which every JSON parser reads exactly.
    pub fn event_number(&self, before: Option<&Self>) -> Option<u64> {
        let is_told = before.is_none_or(|before| before.summary() != self.summary());
        is_told.then(|| self.progress.get().saturating_add(u64::from(self.stopped_at.is_some())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::execution::fixtures::{CREATED_AT, actor, after_report, execution, report};
    use crate::execution::progress::Progress;
    use crate::status::Reason;

    #[test]
    fn every_event_has_a_greater_number_than_the_one_before() {
        let created = execution(Some(30));
        let at = |seconds| CREATED_AT.plus_seconds(seconds);
        let mut row = created.clone();
        let mut numbers = vec![created.event_number(None).unwrap()];
        let mut next = |row: &mut Execution, after: Option<Execution>, is_told: bool| {
            let after = after.unwrap();
            let number = after.event_number(Some(row));
            assert_eq!(number.is_some(), is_told, "{after:?}");
            numbers.extend(number);
            *row = after;
        };
        let queued = row.apply(&row.queued(at(1), actor()));
        next(&mut row, queued, true);
        let claimed = row.apply(&row.claim(at(2), "token").unwrap());
        next(&mut row, claimed, true);
        let refused = row.apply(&row.send_failed(at(2), actor(), true));
        next(&mut row, refused, false);
        let sent = row.apply(&row.sent(at(20), actor()));
        next(&mut row, sent, true);
        let postponed = row.apply(&row.due_at_seconds(at(60).as_seconds()));
        next(&mut row, postponed, false);
        let started = after_report(&row, 21, "RUNNING");
        next(&mut row, started, true);
        let interim = report(&row, r#"{"status":"RUNNING","result":40}"#).change(row.key.clone(), at(22));
        let heartbeat = row.active_again(&interim).and_then(|change| row.apply(&change));
        next(&mut row, heartbeat, false);
        let canceled = row.apply(&row.cancel(Reason::CanceledByOperator, at(23), true, actor()).unwrap());
        next(&mut row, canceled, true);
        let stopped = row.apply(&row.confirm_stop(at(24)).unwrap());
        next(&mut row, stopped, true);
        let failed = after_report(&row, 25, "FAILED");
        next(&mut row, failed, true);
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn greatest_number_is_exact_in_every_json_parser() {
        let stopped_at = Some(CREATED_AT);
        let row = Execution { progress: Progress::SUCCEEDED, stopped_at, ..execution(None) };
        assert!(row.event_number(None).unwrap() < 1 << 53);
    }
}
