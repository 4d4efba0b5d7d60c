//! From a batch to its function, again and again until it succeeds or is given up.

use super::Lane;
use crate::faults::{StreamBatch, StreamDelivery};
use crate::streams::batch::{Batch, Verdict};
use crate::streams::destination::{self, Condition};
use crate::streams::shard::RETENTION_MS;
use crate::template::StreamSource;

/// What failed is tried again after a second, then twice that, and so on up to a minute. AWS does not say how long it
/// waits.
const LONGEST_WAIT_S: i64 = 60;

impl Lane {
    /// When a batch's oldest record is given up.
    pub(super) fn too_old_ms(&self, batch: &Batch) -> i64 {
        batch.records.first().map_or(i64::MAX, |record| self.expires_ms(record.created_ms))
    }

    fn expires_ms(&self, created_ms: i64) -> i64 {
        let age_ms = self.source.record_age_s.map_or(RETENTION_MS, |seconds| i64::from(seconds) * 1000);
        created_ms.saturating_add(age_ms.min(RETENTION_MS)).saturating_add(1)
    }

    /// Gives up what is too old; what is left.
    pub(super) fn without_the_old(&self, mut batch: Batch, now_ms: i64) -> Option<Batch> {
        let old = batch.records.iter().take_while(|record| self.expires_ms(record.created_ms) <= now_ms).count();
        if old == 0 {
            return Some(batch);
        }
        let rest = batch.split_off(old);
        self.give_up(&batch, Condition::RecordAgeExceeded);
        (!rest.records.is_empty()).then_some(rest)
    }

    /// Hands a batch over, as the faults will have it; what of it has to come again.
    pub(super) async fn hand_over(&self, mut batch: Batch) -> Vec<Batch> {
        let asked = StreamBatch {
            function: &self.function,
            table: &self.table,
            shard: &self.shard.id,
            records: batch.records.len(),
            attempt: batch.invokes + 1,
        };
        let first = batch.records.first().map(|record| record.offset);
        match (self.tools.faults.stream_delivery(&asked), first) {
            (StreamDelivery::Twice, _) => {
                self.invoke(&mut batch).await;
                self.attempt(batch).await
            }
            (StreamDelivery::First(records), _) if (1..batch.records.len()).contains(&records) => {
                let after = batch.split_off(records);
                let mut left = self.attempt(batch).await;
                left.push(after);
                left
            }
            (StreamDelivery::ThenBack(records), Some(first)) => {
                // What is left of it comes again anyway.
                self.attempt(batch).await;
                self.begin_at(self.shard.before(first, records));
                Vec::new()
            }
            (StreamDelivery::Once | StreamDelivery::First(_) | StreamDelivery::ThenBack(_), _) => {
                self.attempt(batch).await
            }
        }
    }

    /// Invokes the function once; what of the batch has to come again.
    async fn attempt(&self, mut batch: Batch) -> Vec<Batch> {
        let closes = batch.window.is_some_and(|window| window.last);
        let left = match self.invoke(&mut batch).await {
            Verdict::Done => Vec::new(),
            Verdict::NotRun => vec![self.later(batch)],
            Verdict::FailedFrom(index) => self.again(batch, index),
        };
        if closes && left.is_empty() {
            self.state().window = None;
        }
        left
    }

    /// What becomes of a batch of which everything from `index` on failed.
    fn again(&self, mut batch: Batch, index: usize) -> Vec<Batch> {
        let mut rest = if index == 0 { batch } else { batch.split_off(index) };
        if self.source.bisect && index > 0 {
            return vec![rest];
        }
        if self.source.bisect && rest.records.len() > 1 {
            let second = rest.split_off(rest.records.len() / 2);
            return vec![rest, second];
        }
        rest.failures += 1;
        if self.source.retries.is_some_and(|most| rest.failures > most) {
            self.give_up(&rest, Condition::RetryAttemptsExhausted);
            return Vec::new();
        }
        vec![self.later(rest)]
    }

    fn later(&self, batch: Batch) -> Batch {
        let seconds = 1 << batch.failures.saturating_sub(1).min(6);
        Batch { not_before_ms: self.tools.clock.now_ms() + LONGEST_WAIT_S.min(seconds) * 1000, ..batch }
    }

    async fn invoke(&self, batch: &mut Batch) -> Verdict {
        let StreamSource { function_arn, stream_arn, partial_failures, .. } = &*self.source;
        let event = match batch.window {
            None => batch.event(),
            Some(window) => {
                let mut state = self.state();
                let (_, kept) = state.window.get_or_insert_with(|| (window.start_ms, serde_json::json!({})));
                batch.event_in(&window, kept, &self.shard.id, stream_arn)
            }
        };
        let outcome = match self.tools.lambda.invoke(function_arn, event.into()).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(function = self.function, stream = self.table, "a batch was not taken: {error}");
                return Verdict::NotRun;
            }
        };
        let verdict = batch.heard(outcome, *partial_failures);
        if let (Some((_, kept)), Some(state)) = (&mut self.state().window, batch.state()) {
            *kept = state;
        }
        if let Verdict::FailedFrom(index) = verdict {
            let said = batch.last.as_ref().map(|outcome| String::from_utf8_lossy(&outcome.payload));
            let (of, said) = (batch.records.len(), said.unwrap_or_default());
            tracing::warn!(function = self.function, stream = self.table, index, of, "a batch failed: {said}");
        }
        verdict
    }

    fn give_up(&self, batch: &Batch, condition: Condition) {
        let StreamSource { function_arn, stream_arn, on_failure, .. } = &*self.source;
        let records = batch.records.len();
        tracing::error!(function = self.function, stream = self.table, records, ?condition, "records given up");
        let Some(queue) = on_failure else { return };
        let now_ms = self.tools.clock.now_ms();
        let document = destination::record(batch, function_arn, stream_arn, &self.shard.id, condition, now_ms);
        if !self.tools.sqs.send(queue, document) {
            tracing::error!(function = self.function, queue, "no such queue: the record of a batch is lost");
        }
    }
}
