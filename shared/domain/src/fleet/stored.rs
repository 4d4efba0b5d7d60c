//! What was stored, and can't be read.

/// A stored text that is not what its name says.
#[derive(Debug, thiserror::Error)]
#[error("the stored {what} can't be read")]
pub struct StoredError {
    /// What it should be: `rollout`, `abort` or `schedule`.
    pub what: &'static str,
    /// What is wrong with it.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoredError {
    /// The same for every cause.
    pub(super) fn of<E: Into<Box<dyn std::error::Error + Send + Sync>>>(what: &'static str) -> impl Fn(E) -> Self {
        move |source| Self { what, source: source.into() }
    }
}

/// The compact JSON of what can always be written: plain fields with plain names.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
