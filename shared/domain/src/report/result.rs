//! What came of an execution: any JSON, or as much of it as is kept.

/// The beginning of a result. One that was cut is no longer JSON, only text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportResult {
    /// JSON, or its beginning.
    pub text: String,
    /// Whether something is missing.
    pub cut: bool,
}

impl ReportResult {
    /// A row is written with every change, so what it holds is kept small.
    pub const LARGEST: usize = 4096;

    /// As much of this JSON as is kept.
    pub fn new(json: &str) -> Self {
        let kept = json.floor_char_boundary(Self::LARGEST);
        Self { text: json[..kept].to_owned(), cut: kept < json.len() }
    }
}
