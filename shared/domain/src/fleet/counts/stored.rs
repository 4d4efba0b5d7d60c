//! The stored form of counts: JSON without zeros.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fleet::counts::reasons::Reasons;
use crate::fleet::counts::totals::Counts;
use crate::status::{DeliveryStatus, Status, UnknownWord};

/// Stored counts that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CountsError {
    /// Not JSON of this shape.
    #[error(
        "stored counts are a JSON object of status, delivery, reasons, noResponse and duplicates, all whole numbers"
    )]
    Malformed(#[source] serde_json::Error),
    /// An unknown status.
    #[error("the stored counts' field {field} has an unknown word")]
    Word {
        /// The field with the word.
        field: &'static str,
        /// The word.
        source: UnknownWord,
    },
}

/// The field names are stored: new ones may be added, none may be changed. An unknown field is an error: a function of
/// an older version would drop it when it writes the counts again.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct StoredCounts {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    status: BTreeMap<String, i64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    delivery: BTreeMap<String, i64>,
    // Zeros are kept here: a name keeps its place.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reasons: BTreeMap<String, i64>,
    #[serde(skip_serializing_if = "is_zero")]
    no_response: i64,
    #[serde(skip_serializing_if = "is_zero")]
    duplicates: i64,
}

fn is_zero(count: &i64) -> bool {
    *count == 0
}

impl Counts {
    /// The stored form: JSON of some hundred bytes.
    pub fn to_stored(&self) -> String {
        let words = |words: &mut dyn Iterator<Item = (&'static str, i64)>| {
            words.filter(|(_, count)| *count != 0).map(|(word, count)| (word.to_owned(), count)).collect()
        };
        let stored = StoredCounts {
            status: words(&mut Status::ALL.iter().map(|status| status.as_str()).zip(self.statuses)),
            delivery: words(&mut DeliveryStatus::ALL.iter().map(|delivery| delivery.as_str()).zip(self.deliveries)),
            reasons: self.reasons.0.clone(),
            no_response: self.no_response,
            duplicates: self.duplicates,
        };
        // String keys and whole numbers only: serialization cannot fail.
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// The text is not JSON of this shape, or has an unknown status.
    pub fn from_stored(text: &str) -> Result<Self, CountsError> {
        let stored: StoredCounts = serde_json::from_str(text).map_err(CountsError::Malformed)?;
        let mut counts = Self {
            reasons: Reasons(stored.reasons),
            no_response: stored.no_response,
            duplicates: stored.duplicates,
            ..Self::default()
        };
        for (word, count) in stored.status {
            let status = Status::parse(&word).map_err(|source| CountsError::Word { field: "status", source })?;
            counts.statuses[status as usize] = count;
        }
        for (word, count) in stored.delivery {
            let unknown = |source| CountsError::Word { field: "delivery", source };
            counts.deliveries[DeliveryStatus::parse(&word).map_err(unknown)? as usize] = count;
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::counts::contribution::Contribution;
    use crate::fleet::counts::tests::{ended, of, row, sent};
    use crate::status::Reason;

    #[test]
    fn the_stored_form_is_pinned_and_short() {
        let mut counts = of(&[sent(), ended(Status::TimedOut, "NO_RESPONSE"), ended(Status::Failed, "LOW_BATTERY")]);
        counts.fold(None, Some(&Contribution::Duplicate));
        assert_eq!(
            counts.to_stored(),
            concat!(
                r#"{"status":{"CREATED":1,"FAILED":1,"TIMED_OUT":1},"delivery":{"DELIVERED":2,"SENT":1},"#,
                r#""reasons":{"LOW_BATTERY":1,"NO_RESPONSE":1},"noResponse":1,"duplicates":1}"#,
            )
        );
        assert_eq!(Counts::default().to_stored(), "{}");
        assert_eq!(Counts::from_stored("{}").unwrap(), Counts::default());
        let everywhere: Vec<_> = Status::ALL
            .iter()
            .flat_map(|status| DeliveryStatus::ALL.iter().map(|delivery| row(*status, *delivery, None)))
            .chain(Reason::ALL.iter().map(|reason| ended(reason.status(), reason.as_str())))
            .collect();
        let mut full = of(&everywhere);
        for _ in 0..20 {
            full.merge(&full.clone());
        }
        assert!(full.to_stored().len() < 600, "{}: {}", full.to_stored().len(), full.to_stored());
    }

    #[test]
    fn unknown_stored_counts_are_an_error_and_not_zero() {
        let error = |text: &str| Counts::from_stored(text).unwrap_err().to_string();
        assert!(error("").starts_with("stored counts are a JSON object"));
        assert!(error(r#"{"shadows":1}"#).starts_with("stored counts are a JSON object"));
        assert!(error(r#"{"duplicates":1.5}"#).starts_with("stored counts are a JSON object"));
        assert_eq!(error(r#"{"status":{"DONE":1}}"#), "the stored counts' field status has an unknown word");
        assert_eq!(error(r#"{"delivery":{"LOST":1}}"#), "the stored counts' field delivery has an unknown word");
    }
}
