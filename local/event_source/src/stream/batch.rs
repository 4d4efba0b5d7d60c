//! A batch of stream records, its event, and the records that failed by the function's answer.

use std::sync::Arc;

use local_lambda::InvokeOutcome;
use local_streams::Record;
use serde::Deserialize;
use serde_json::{Value, json};

/// Records that are delivered together, until they are done or discarded.
pub(super) struct Batch {
    /// Empty only in the last invoke of a window.
    pub records: Vec<Arc<Record>>,
    /// The tumbling window of all records.
    pub window: Option<Window>,
    /// Number of failures since the last split.
    pub failures: u32,
    /// Number of invokes.
    pub invokes: u32,
    /// Time before which it is not delivered.
    pub not_before_ms: i64,
    /// How the last attempt ended.
    pub last: Option<InvokeOutcome>,
}

/// A tumbling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub start_ms: i64,
    pub end_ms: i64,
    /// Whether this is the last invoke for the window.
    pub last: bool,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// Every record from this index on failed.
    FailedFrom(usize),
    /// The function was not invoked.
    NotRun,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl Batch {
    pub fn of(records: Vec<Arc<Record>>) -> Self {
        Self { records, window: None, failures: 0, invokes: 0, not_before_ms: i64::MIN, last: None }
    }

    /// Splits the batch: returns the records from `index` on, with the same history.
    pub fn split_off(&mut self, index: usize) -> Self {
        Self { records: self.records.split_off(index), last: self.last.clone(), ..*self }
    }

    pub fn event(&self) -> String {
        format!(r#"{{"Records":{}}}"#, self.records())
    }

    /// The event of a mapping with tumbling windows; `state` is the function's state in the window.
    pub fn event_in(&self, window: &Window, state: &Value, shard: &str, stream_arn: &str) -> String {
        let time = |ms| super::destination::time(ms, "%Y-%m-%dT%H:%M:%SZ");
        let about = json!({
            "window": {"start": time(window.start_ms), "end": time(window.end_ms)},
            "state": state,
            "shardId": shard,
            "eventSourceARN": stream_arn,
            "isFinalInvokeForWindow": window.last,
            "isWindowTerminatedEarly": false,
        });
        let about = about.to_string();
        format!(r#"{{"Records":{},{}"#, self.records(), about.trim_start_matches('{'))
    }

    fn records(&self) -> String {
        let records: Vec<&str> = self.records.iter().map(|record| record.json.as_str()).collect();
        format!("[{}]", records.join(","))
    }

    /// Records the outcome of an attempt.
    pub fn record_attempt(&mut self, outcome: InvokeOutcome, partial_failures: bool) -> Verdict {
        let verdict = self.verdict(&outcome, partial_failures);
        self.invokes += 1;
        self.last = Some(outcome);
        verdict
    }

    /// An answer that cannot be read, or that names a record outside the batch, fails all records.
    fn verdict(&self, outcome: &InvokeOutcome, partial_failures: bool) -> Verdict {
        if outcome.error.is_some() {
            return Verdict::FailedFrom(0);
        }
        if !partial_failures || outcome.payload.is_empty() {
            return Verdict::Done;
        }
        let Ok(answer) = serde_json::from_slice::<Option<Answer>>(&outcome.payload) else {
            return Verdict::FailedFrom(0);
        };
        let failures = answer.unwrap_or_default().batch_item_failures.unwrap_or_default();
        let place = |failure: &ItemFailure| {
            self.records.iter().position(|record| record.sequence == failure.item_identifier).unwrap_or(0)
        };
        failures.iter().map(place).min().map_or(Verdict::Done, Verdict::FailedFrom)
    }

    /// The function's state in the window after the last attempt; `None` if that failed.
    pub fn state(&self) -> Option<Value> {
        let outcome = self.last.as_ref().filter(|outcome| outcome.error.is_none())?;
        let answer: Value = serde_json::from_slice(&outcome.payload).unwrap_or_default();
        Some(answer.get("state").filter(|state| state.is_object()).cloned().unwrap_or_else(|| json!({})))
    }
}
