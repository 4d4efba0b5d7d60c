//! Why a template cannot be run.

use std::fmt::Display;
use std::path::PathBuf;

/// Why a template cannot be run. Names the resource and property.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The template.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text is not YAML, or holds what JSON cannot; the message has line and column.
    #[error("not valid YAML: {0}")]
    Yaml(#[from] Box<serde_saphyr::Error>),
    /// It is YAML, but not a template that this stack can run.
    #[error("{0}")]
    Unusable(String),
}

pub fn bad(at: &str, why: impl Display) -> TemplateError {
    TemplateError::Unusable(format!("{at}: {why}"))
}
