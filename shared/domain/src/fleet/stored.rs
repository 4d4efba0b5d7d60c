//! Reading and writing the JSON text in which a rollout, a schedule or abort criteria are stored.

/// A stored text that is not valid for its attribute.
#[derive(Debug, thiserror::Error)]
#[error("the stored {what} can't be read")]
pub struct StoredError {
    /// The attribute: `rollout`, `abort` or `schedule`.
    pub what: &'static str,
    /// The first error in the text.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoredError {
    /// Wraps an error of any type, for `map_err`.
    pub(super) fn of<E: Into<Box<dyn std::error::Error + Send + Sync>>>(what: &'static str) -> impl Fn(E) -> Self {
        move |source| Self { what, source: source.into() }
    }
}

/// Compact JSON. The values here have string keys only, so serialization cannot fail.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
