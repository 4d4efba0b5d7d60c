//! The error type of templates.

use std::fmt::Display;

/// A template cannot be read or is not supported. The message names the resource and the property.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read. The caller knows its path.
    #[error("cannot read the template: {0}")]
    File(#[source] std::io::Error),
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
