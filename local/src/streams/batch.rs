//! A batch, its event, and what its function's answer says of it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::record::Record;
use crate::lambda::Outcome;

/// Records that are handed over together, again and again until it is settled what becomes of them.
pub(super) struct Batch {
    /// Empty only where a window closes.
    pub records: Vec<Arc<Record>>,
    /// The tumbling window that all of them fall into.
    pub window: Option<Window>,
    /// How often the function failed on it, splits left aside.
    pub failures: u32,
    /// How often the function got to see it.
    pub invokes: u32,
    /// Earlier than this it is not handed over.
    pub not_before_ms: i64,
    /// How the last attempt ended.
    pub last: Option<Outcome>,
}

/// A tumbling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub start_ms: i64,
    pub end_ms: i64,
    /// Whether nothing comes after it.
    pub last: bool,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// Everything from this record on has to come again.
    FailedFrom(usize),
    /// The function was not even started.
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

    /// Everything from the record at `index` on, as a batch with the same history.
    pub fn split_off(&mut self, index: usize) -> Self {
        Self { records: self.records.split_off(index), last: self.last.clone(), ..*self }
    }

    pub fn event(&self) -> String {
        format!(r#"{{"Records":{}}}"#, self.records())
    }

    /// The event where records are aggregated in windows; `state` is what the function kept of the window so far.
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

    /// Takes note of an attempt.
    pub fn heard(&mut self, outcome: Outcome, partial_failures: bool) -> Verdict {
        let verdict = self.verdict(&outcome, partial_failures);
        self.invokes += 1;
        self.last = Some(outcome);
        verdict
    }

    /// An answer that cannot be read, or names a record that was not in the batch, counts for all of them.
    fn verdict(&self, outcome: &Outcome, partial_failures: bool) -> Verdict {
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

    /// What the function keeps of the window, where the last attempt did not end in an error.
    pub fn state(&self) -> Option<Value> {
        let outcome = self.last.as_ref().filter(|outcome| outcome.error.is_none())?;
        let answer: Value = serde_json::from_slice(&outcome.payload).unwrap_or_default();
        Some(answer.get("state").filter(|state| state.is_object()).cloned().unwrap_or_else(|| json!({})))
    }
}
