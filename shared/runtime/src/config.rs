//! The settings of a function: environment variables that template.yaml passes, and two that the host sets. They are
//! read once.

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
    /// The number is not within its range.
    #[error("environment variable {name} is {number}, not from {} to {}", range.start(), range.end())]
    OutOfRange {
        /// The name of the variable.
        name: &'static str,
        /// The numbers that it may have.
        range: std::ops::RangeInclusive<u32>,
        /// Its value.
        number: u32,
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

/// The factor by which a function's timeouts for calls of other services are longer than usual: 1 on AWS. The host sets
/// it, not template.yaml: the local stack, if tests move its clock, so that a slow machine makes no call fail.
pub fn call_timeout_factor() -> u32 {
    host("CALL_TIMEOUT_FACTOR").and_then(|factor| factor.parse().ok()).unwrap_or(1).max(1)
}

/// Whether the clock of the events stands still while an event is handled: never on AWS. The host sets it, not
/// template.yaml: the local stack, if tests move its clock.
pub fn event_clock_stands() -> bool {
    host("EVENT_CLOCK_STANDS").is_some()
}

/// The value of a variable that the host sets; none if it is empty or not set.
fn host(name: &'static str) -> Option<String> {
    optional(name)
}

/// The value of a variable that is a whole number.
///
/// # Errors
/// [`ConfigError`] if it is missing, or not a number from 0 to 4,294,967,295.
pub fn number(name: &'static str) -> Result<u32, ConfigError> {
    variable(name)?.parse().map_err(|source| ConfigError::NotANumber { name, source })
}
