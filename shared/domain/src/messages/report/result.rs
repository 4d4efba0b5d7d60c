//! The result of a command, as its device reports it.

/// The result that a device reports: any JSON, cut at [`ReportResult::MAX_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportResult {
    /// JSON, or its beginning: a result that was cut is no longer JSON.
    pub text: String,
    /// Whether the end is missing.
    pub truncated: bool,
}

impl ReportResult {
    /// The most that is kept of a result, in bytes. DynamoDB charges every write for the whole row, so a row is kept
    /// small.
    pub const MAX_BYTES: usize = 4096;

    /// The result, cut if it is too long.
    pub fn new(json: &str) -> Self {
        Self::cut(json, Self::MAX_BYTES)
    }

    /// The result with at most this many bytes.
    pub(crate) fn cut_at(&self, max_bytes: usize) -> Self {
        let cut = Self::cut(&self.text, max_bytes);
        Self { truncated: cut.truncated || self.truncated, ..cut }
    }

    fn cut(json: &str, max_bytes: usize) -> Self {
        let kept = json.floor_char_boundary(max_bytes);
        Self { text: json[..kept].to_owned(), truncated: kept < json.len() }
    }
}
