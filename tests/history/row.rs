//! One image of an execution's row, read from DynamoDB's own JSON by code of its own: what `aws` writes is what is judged.

use std::collections::BTreeMap;

use serde_json::Value;

/// The row as it was after one write.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// When it was written.
    pub at_ms: i64,
    /// The thing.
    pub thing: String,
    /// The execution.
    pub execution: String,
    /// Every attribute as text.
    pub attributes: BTreeMap<String, String>,
}

impl Image {
    /// Reads an item; none if it is not an execution's row.
    pub fn read(at_ms: i64, item: &Value) -> Option<Self> {
        let attributes: BTreeMap<String, String> =
            item.as_object()?.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        let thing = attributes.get("pk")?.strip_prefix("T#")?.to_owned();
        let execution = attributes.get("sk")?.strip_prefix("E#")?.to_owned();
        Some(Self { at_ms, thing, execution, attributes })
    }

    /// That there is no such row any more.
    pub fn forgotten(at_ms: i64, thing: String, execution: String) -> Self {
        Self { at_ms, thing, execution, attributes: BTreeMap::new() }
    }

    /// Whether the row is gone.
    pub fn is_forgotten(&self) -> bool {
        self.attributes.is_empty()
    }

    /// An attribute's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// An attribute's number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// The register: attempt, rank, and what repeats within it.
    pub fn progress(&self) -> (u64, u64, u64) {
        let all = self.text("progress").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        (all >> 20, (all >> 16) & 0xf, all & 0xffff)
    }

    /// The status.
    pub fn status(&self) -> &str {
        self.text("status").unwrap_or("none")
    }

    /// The attempt that is under way.
    pub fn attempt(&self) -> u64 {
        self.text("attempt").and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The policy's attempts and the reasons that it names, if there is one: as they are stored, a number and a set of bits.
    pub fn retry(&self) -> Option<(u64, u64)> {
        let mut numbers = self.text("retry")?.split(' ').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// Whether its request goes through a shadow.
    pub fn is_in_shadow(&self) -> bool {
        self.text("via").is_some_and(|via| !matches!(via, "direct" | "topic" | "broadcast"))
    }

    /// Whether nothing is awaited.
    pub fn is_terminal(&self) -> bool {
        self.progress().1 >= 8
    }

    /// Whether its device has the last word.
    pub fn is_hard(&self) -> bool {
        self.progress().1 >= 12
    }

    /// For an explanation.
    pub fn show(&self) -> String {
        let (attempt, rank, seq) = self.progress();
        format!(
            "{}/{} at {}: {} ({}), register {attempt}.{rank}.{seq}",
            self.thing,
            self.execution,
            self.at_ms,
            self.status(),
            self.text("delivery_status").unwrap_or("none"),
        )
    }
}

/// `{"S":"x"}` and its like as text; what is nested, as JSON.
fn plain(value: &Value) -> String {
    let inner = value.as_object().and_then(|typed| typed.values().next()).unwrap_or(value);
    inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)
}
