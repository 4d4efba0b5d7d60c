//! What the template tells a function, read once when it starts.

/// A variable that the template has to set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not there.
    #[error("environment variable {name} is not set, or not text")]
    Missing {
        /// Which.
        name: &'static str,
        /// What is wrong.
        source: std::env::VarError,
    },
    /// It is no number.
    #[error("environment variable {name} is not a number")]
    NotANumber {
        /// Which.
        name: &'static str,
        /// What is wrong.
        source: std::num::ParseIntError,
    },
}

/// The value of a variable.
pub fn variable(name: &'static str) -> Result<String, ConfigError> {
    std::env::var(name).map_err(|source| ConfigError::Missing { name, source })
}

/// The value of a variable that may be left empty.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The same, of one that is a number.
pub fn number(name: &'static str) -> Result<u32, ConfigError> {
    variable(name)?.parse().map_err(|source| ConfigError::NotANumber { name, source })
}
