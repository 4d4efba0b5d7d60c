//! The error type of templates.

use std::fmt::Display;
use std::path::PathBuf;

/// A template cannot be read or is not supported. The message names the resource and the property.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read the template {}: {source}", path.display())]
    File {
        /// Path of the template.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The text is not YAML, or has a value without a JSON form; the message has line and column.
    #[error("not valid YAML: {0}")]
    Yaml(#[from] Box<serde_saphyr::Error>),
    /// Valid YAML, but not a template that the local stack supports.
    #[error("{0}")]
    Unusable(String),
}

/// An error about the value at the path `at` of the template.
pub fn invalid(at: &str, why: impl Display) -> TemplateError {
    TemplateError::Unusable(format!("{at}: {why}"))
}
