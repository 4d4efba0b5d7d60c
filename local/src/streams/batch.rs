//! A batch, its event, and what its function's answer says of it.

use std::sync::Arc;

use serde::Deserialize;

use super::record::Record;
use crate::lambda::Outcome;

/// Records that are handed over together, again and again until it is settled what becomes of them.
pub(super) struct Batch {
    /// Never empty.
    pub records: Vec<Arc<Record>>,
    /// How often the function failed on it, splits left aside.
    pub failures: u32,
    /// How often the function got to see it.
    pub invokes: u32,
    /// Earlier than this it is not handed over.
    pub not_before_ms: i64,
    /// How the last attempt ended.
    pub last: Option<Outcome>,
}

impl Batch {
    pub fn of(records: Vec<Arc<Record>>) -> Self {
        Self { records, failures: 0, invokes: 0, not_before_ms: i64::MIN, last: None }
    }

    /// Everything from the record at `index` on, as a batch with the same history.
    pub fn split_off(&mut self, index: usize) -> Self {
        let Self { failures, invokes, not_before_ms, .. } = *self;
        Self { records: self.records.split_off(index), failures, invokes, not_before_ms, last: self.last.clone() }
    }

    pub fn event(&self) -> String {
        let records: Vec<&str> = self.records.iter().map(|record| record.json.as_str()).collect();
        format!(r#"{{"Records":[{}]}}"#, records.join(","))
    }
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

/// Where the records begin that have to come again; `None` where all is done. An answer that cannot be read, or names
/// a record that was not in the batch, counts for all of them.
pub(super) fn failed_from(outcome: &Outcome, partial_failures: bool, records: &[Arc<Record>]) -> Option<usize> {
    if outcome.error.is_some() {
        return Some(0);
    }
    if !partial_failures || outcome.payload.is_empty() {
        return None;
    }
    let Ok(answer) = serde_json::from_slice::<Option<Answer>>(&outcome.payload) else { return Some(0) };
    let failures = answer.unwrap_or_default().batch_item_failures.unwrap_or_default();
    let place = |failure: &ItemFailure| {
        records.iter().position(|record| record.sequence == failure.item_identifier).unwrap_or(0)
    };
    failures.iter().map(place).min()
}
