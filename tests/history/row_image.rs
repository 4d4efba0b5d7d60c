//! One image of an execution's row, read from DynamoDB JSON without the code of `aws`, whose writes are judged.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};

use serde_json::Value;

/// Rank of the provisional TIMED_OUT.
pub const TIMED_OUT: u64 = 8;
/// Rank of the provisional CANCELED.
pub const CANCELED: u64 = 9;
/// Rank of the final FAILED, REJECTED and TIMED_OUT.
pub const FAILED: u64 = 12;
/// Rank of the final SUCCEEDED.
pub const SUCCEEDED: u64 = 15;

/// The attribute `progress`: attempt first, then rank, then sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Progress {
    pub attempt: u64,
    pub rank: u64,
    pub seq: u64,
}

/// The row after one write.
#[derive(Clone, Debug, PartialEq)]
pub struct RowImage {
    /// Time of the write.
    pub at_ms: i64,
    pub thing: String,
    pub execution: String,
    /// Every attribute as text; none in the image of a deleted row.
    pub attributes: BTreeMap<String, String>,
}

impl RowImage {
    /// Reads an item; `None` unless it is an execution's row.
    pub fn read(at_ms: i64, item: &Value) -> Option<Self> {
        let attributes: BTreeMap<String, String> =
            item.as_object()?.iter().map(|(name, value)| (name.clone(), plain_text(value))).collect();
        let thing = attributes.get("pk")?.strip_prefix("T#")?.to_owned();
        let execution = attributes.get("sk")?.strip_prefix("E#")?.to_owned();
        Some(Self { at_ms, thing, execution, attributes })
    }

    /// The image of a row that was deleted.
    pub fn deleted(at_ms: i64, thing: String, execution: String) -> Self {
        Self { at_ms, thing, execution, attributes: BTreeMap::new() }
    }

    pub fn is_deleted(&self) -> bool {
        self.attributes.is_empty()
    }

    /// Thing and execution id.
    pub fn key(&self) -> (&str, &str) {
        (&self.thing, &self.execution)
    }

    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }

    pub fn number(&self, attribute: &str) -> Option<i64> {
        self.text(attribute)?.parse().ok()
    }

    pub fn progress(&self) -> Progress {
        let packed = self.text("progress").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        Progress { attempt: packed >> 20, rank: (packed >> 16) & 0xf, seq: packed & 0xffff }
    }

    pub fn status(&self) -> &str {
        self.text("status").unwrap_or("none")
    }

    /// The current attempt.
    pub fn attempt(&self) -> u64 {
        self.text("attempt").and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The stored retry policy: the maximum number of attempts, and the set of reasons as bits.
    pub fn retry_policy(&self) -> Option<(u64, u64)> {
        let mut numbers = self.text("retry")?.split(' ').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// Whether the request is delivered in a shadow.
    pub fn uses_shadow(&self) -> bool {
        self.text("channel").is_some_and(|channel| !matches!(channel, "direct" | "topic" | "broadcast"))
    }

    /// Whether the execution has ended, provisionally or finally.
    pub fn is_terminal(&self) -> bool {
        self.progress().rank >= TIMED_OUT
    }

    /// Whether the device has reported how the execution ended.
    pub fn is_final(&self) -> bool {
        self.progress().rank >= FAILED
    }
}

impl Display for RowImage {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Progress { attempt, rank, seq } = self.progress();
        write!(
            f,
            "row {}/{} written at {}: {} ({}), progress {attempt}.{rank}.{seq}",
            self.thing,
            self.execution,
            self.at_ms,
            self.status(),
            self.text("delivery_status").unwrap_or("none"),
        )
    }
}

/// The inner text of a typed value such as `{"S":"x"}`; nested values stay JSON.
fn plain_text(value: &Value) -> String {
    let inner = value.as_object().and_then(|typed| typed.values().next()).unwrap_or(value);
    inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)
}
