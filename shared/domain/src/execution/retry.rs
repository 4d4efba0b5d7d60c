//! Schedules the next attempt of an execution.

use crate::actor::Actor;
use crate::command::failure::AttemptFailure;
use crate::execution::change::{Change, Condition, DueEntry, Effect};
use crate::execution::history::HistoryEntry;
use crate::execution::progress::{Attempt, Progress, Rank};
use crate::execution::row::Execution;
use crate::status::{DeliveryStatus, Status};
use crate::timestamp::Timestamp;

impl Execution {
    /// Schedules the next attempt, after the current one has failed at `at`. `code` is the device's own reason code.
    pub(crate) fn schedule_retry(
        &self,
        failure: AttemptFailure,
        at: Timestamp,
        code: Option<&str>,
        actor: Actor,
    ) -> Change {
        let attempt: Attempt = self.attempt.saturating_add(1);
        let delay = self.retry.map_or(0, |retry| retry.delay_seconds(&self.key.id, self.attempt));
        let next_send_at = at.plus_seconds(delay);
        let code = code.filter(|code| *code != failure.as_str());
        let event = code.map_or_else(|| failure.as_str().to_owned(), |code| format!("{} {code}", failure.as_str()));
        let steps = self.attempt_steps();
        let channel = steps.sent_at.map(|_| self.channel.to_string());
        let failed = HistoryEntry { channel, steps, ..HistoryEntry::new(at, self.attempt, event, actor) };
        Change {
            key: self.key.clone(),
            condition: Condition::Unchanged(self.snapshot()),
            progress: Progress::new(attempt, Rank::Created, 0),
            status: Status::Created,
            delivery_status: Some(DeliveryStatus::Pending),
            effect: Effect::RetryScheduled { attempt, next_send_at },
            due: DueEntry::At(next_send_at.as_seconds_rounded_up()),
            history_entry: Some(failed),
        }
    }
}
