//! From a batch to its function: attempts, retries, splits, until the batch is done or discarded.

use local_faults::{StreamBatch, StreamDelivery};
use local_resources::StreamSource;
use local_streams::RETENTION_MS;

use super::ShardReader;
use crate::stream::batch::{Batch, Verdict};
use crate::stream::destination::{self, Condition};

/// Longest wait before a retry. The first retry waits a second, each further one twice as long; AWS documents no times.
const MAX_RETRY_WAIT_S: i64 = 60;

impl ShardReader {
    /// Time at which a batch's oldest record is discarded.
    pub(super) fn too_old_ms(&self, batch: &Batch) -> i64 {
        batch.records.first().map_or(i64::MAX, |record| self.expires_ms(record.created_ms))
    }

    fn expires_ms(&self, created_ms: i64) -> i64 {
        let age_ms = self.source.record_age_s.map_or(RETENTION_MS, |seconds| i64::from(seconds) * 1000);
        created_ms.saturating_add(age_ms.min(RETENTION_MS)).saturating_add(1)
    }

    /// Discards records that are too old; returns the rest of the batch.
    pub(super) fn discard_old(&self, mut batch: Batch, now_ms: i64) -> Option<Batch> {
        let old = batch.records.iter().take_while(|record| self.expires_ms(record.created_ms) <= now_ms).count();
        if old == 0 {
            return Some(batch);
        }
        let rest = batch.split_off(old);
        self.discard(&batch, Condition::RecordAgeExceeded);
        (!rest.records.is_empty()).then_some(rest)
    }

    /// Delivers a batch, with the planned fault; returns the batches to deliver again.
    pub(super) async fn deliver(&self, mut batch: Batch) -> Vec<Batch> {
        let asked = StreamBatch {
            function: &self.function,
            table: &self.table,
            shard: &self.shard.id,
            records: batch.records.len(),
            attempt: batch.invokes + 1,
        };
        let first = batch.records.first().map(|record| record.offset);
        match (self.dependencies.faults.stream_delivery(&asked), first) {
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
                // The rewind delivers its failed records again anyway.
                self.attempt(batch).await;
                self.rewind_to(self.shard.before(first, records));
                Vec::new()
            }
            (StreamDelivery::Once | StreamDelivery::First(_) | StreamDelivery::ThenBack(_), _) => {
                self.attempt(batch).await
            }
        }
    }

    /// Invokes the function once; returns the batches to deliver again.
    async fn attempt(&self, mut batch: Batch) -> Vec<Batch> {
        let closes = batch.window.is_some_and(|window| window.last);
        let left = match self.invoke(&mut batch).await {
            Verdict::Done => Vec::new(),
            Verdict::NotRun => vec![self.delayed(batch)],
            Verdict::FailedFrom(index) => self.after_failure(batch, index),
        };
        if closes && left.is_empty() {
            self.state().window = None;
        }
        left
    }

    /// Splits, delays or discards a batch of which every record from `index` on failed.
    fn after_failure(&self, mut batch: Batch, index: usize) -> Vec<Batch> {
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
            self.discard(&rest, Condition::RetryAttemptsExhausted);
            return Vec::new();
        }
        vec![self.delayed(rest)]
    }

    fn delayed(&self, batch: Batch) -> Batch {
        let seconds = 1 << batch.failures.saturating_sub(1).min(6);
        Batch { not_before_ms: self.dependencies.clock.now_ms() + MAX_RETRY_WAIT_S.min(seconds) * 1000, ..batch }
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
        let outcome = match self.dependencies.lambda.invoke(function_arn, event.into()).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(
                    function = self.function,
                    stream = self.table,
                    "the function did not accept a batch: {error}"
                );
                return Verdict::NotRun;
            }
        };
        let verdict = batch.record_attempt(outcome, *partial_failures);
        if let (Some((_, kept)), Some(state)) = (&mut self.state().window, batch.state()) {
            *kept = state;
        }
        if let Verdict::FailedFrom(index) = verdict {
            let answer = batch.last.as_ref().map(|outcome| String::from_utf8_lossy(&outcome.payload));
            let (of, answer) = (batch.records.len(), answer.unwrap_or_default());
            tracing::warn!(function = self.function, stream = self.table, index, of, "a batch failed: {answer}");
        }
        verdict
    }

    fn discard(&self, batch: &Batch, condition: Condition) {
        let StreamSource { function_arn, stream_arn, on_failure, .. } = &*self.source;
        let records = batch.records.len();
        tracing::error!(function = self.function, stream = self.table, records, ?condition, "records discarded");
        let Some(queue) = on_failure else { return };
        let now_ms = self.dependencies.clock.now_ms();
        let document = destination::record(batch, function_arn, stream_arn, &self.shard.id, condition, now_ms);
        if !self.dependencies.sqs.send(queue, document) {
            tracing::error!(function = self.function, queue, "no such queue: the record of a discarded batch is lost");
        }
    }
}
