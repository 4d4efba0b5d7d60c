//! What the template tells a function, read once when it starts.

/// A variable that the template has to set.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {name} is not set, or not text")]
pub struct ConfigError {
    name: &'static str,
    source: std::env::VarError,
}

/// The value of a variable.
pub fn variable(name: &'static str) -> Result<String, ConfigError> {
    std::env::var(name).map_err(|source| ConfigError { name, source })
}
