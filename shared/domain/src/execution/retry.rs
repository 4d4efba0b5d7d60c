//! Schedules the next attempt of an execution.

use crate::actor::Actor;
use crate::command::failure::AttemptFailure;
use crate::execution::change::{Change, Condition, DueEntry, Effect};
use crate::execution::history::HistoryEntry;
use crate::execution::progress::{Attempt, Progress, Rank};
use crate::execution::row::{AttemptEnd, Execution};
use crate::messages::report::reason_code::ReasonCode;
use crate::status::{DeliveryStatus, Status};
use crate::timestamp::Timestamp;

impl Execution {
    /// Schedules the next attempt, after the current one has failed at `at`. `failed` is how the device ended it, if it
    /// did.
    pub(crate) fn schedule_retry(
        &self,
        failure: AttemptFailure,
        at: Timestamp,
        failed: Option<AttemptEnd>,
        actor: Actor,
    ) -> Change {
        let attempt: Attempt = self.attempt.saturating_add(1);
        let delay = self.retry.map_or(0, |retry| retry.delay_seconds(&self.key.id, self.attempt));
        let next_send_at = at.plus_seconds(delay);
        let code = failed.as_ref().and_then(|end| end.outcome.code.as_ref()).map(ReasonCode::as_str);
        let code = code.filter(|code| *code != failure.as_str());
        let event = code.map_or_else(|| failure.as_str().to_owned(), |code| format!("{} {code}", failure.as_str()));
        let steps = self.attempt_steps();
        let channel = steps.sent_at.map(|_| self.channel.to_string());
        let entry = HistoryEntry { channel, steps, ..HistoryEntry::new(at, self.attempt, event, actor) };
        Change {
            key: self.key.clone(),
            condition: Condition::Unchanged(self.snapshot()),
            progress: Progress::new(attempt, Rank::Created, 0),
            status: Status::Created,
            delivery_status: Some(DeliveryStatus::Pending),
            effect: Effect::RetryScheduled { attempt, next_send_at, failed: failed.map(Box::new) },
            due: DueEntry::At(next_send_at.as_seconds_rounded_up()),
            history_entry: Some(entry),
        }
    }
}
