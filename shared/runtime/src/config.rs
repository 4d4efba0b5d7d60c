//! The settings that template.yaml passes to a function as environment variables. They are read once, at the start.

/// A setting that is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or is not UTF-8.
    #[error("environment variable {name} is not set, or not text")]
    Missing {
        /// The name of the variable.
        name: &'static str,
        /// The cause.
        source: std::env::VarError,
    },
    /// The value is not a whole number.
    #[error("environment variable {name} is not a number")]
    NotANumber {
        /// The name of the variable.
        name: &'static str,
        /// The cause.
        source: std::num::ParseIntError,
    },
}

/// The value of a variable.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn variable(name: &'static str) -> Result<String, ConfigError> {
    std::env::var(name).map_err(|source| ConfigError::Missing { name, source })
}

/// The value of a variable; none if it is empty or not set.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of a variable that is a whole number.
///
/// # Errors
/// [`ConfigError`] if it is missing, or not a number from 0 to 4,294,967,295.
pub fn number(name: &'static str) -> Result<u32, ConfigError> {
    variable(name)?.parse().map_err(|source| ConfigError::NotANumber { name, source })
}
