//! The retry policy of a command: how many attempts, for which failures, and with which backoff.

use crate::command::failure::AttemptFailure;
use crate::execution::progress::Attempt;
use crate::ids::ExecutionId;
use crate::jitter::full_jitter;

/// When a failed attempt is followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retry {
    max_attempts: Attempt,
    on: FailureSet,
    wait: u32,
    base: u32,
    cap: u32,
}

/// A set of [`AttemptFailure`], as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FailureSet(u8);

/// Why a retry policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// A number is out of range.
    #[error("{field} must be {least} to {most}: it is {found}")]
    OutOfRange {
        /// The field of the request body.
        field: &'static str,
        /// The least allowed value.
        least: u32,
        /// The greatest allowed value.
        most: u32,
        /// The refused value.
        found: i64,
    },
    /// A word that is no failure of an attempt, at most 64 characters of it.
    #[error("retry.on must name NO_RESPONSE, HEARTBEAT_LOST, FAILED, REJECTED or TIMED_OUT: it has {0:?}")]
    Reason(String),
    /// The policy names no failure, so it would never retry.
    #[error("retry.on must name at least one reason, such as NO_RESPONSE")]
    NoReason,
    /// A missing response would be noticed only when the ttl leaves no time for a retry.
    #[error(
        "retry.wait must be less than the ttl where retry.on names NO_RESPONSE, else no attempt follows: \
         {wait} is not less than {ttl}"
    )]
    WaitBeyondTtl {
        /// The refused wait, in seconds.
        wait: u32,
        /// The ttl, in seconds.
        ttl: u32,
    },
    /// The first backoff is longer than the longest.
    #[error("retry.backoff.base must not be more than retry.backoff.cap: {base} is more than {cap}")]
    BaseBeyondCap {
        /// The limit of the first backoff, in seconds.
        base: u32,
        /// The limit of every backoff, in seconds.
        cap: u32,
    },
}

impl RetryError {
    /// The field of the request body that is wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } => field,
            Self::Reason(_) | Self::NoReason => "retry.on",
            Self::WaitBeyondTtl { .. } => "retry.wait",
            Self::BaseBeyondCap { .. } => "retry.backoff.base",
        }
    }
}

/// A retry policy as the caller gives it; a missing value has a default.
#[derive(Clone, Debug, Default)]
pub struct RetryOptions<'a> {
    /// The number of attempts, the first included: 2 to 10, by default 3.
    pub attempts: Option<i64>,
    /// The failures that are retried: by default NO_RESPONSE.
    pub on: Option<Vec<&'a str>>,
    /// After how many seconds without a report an attempt has failed with NO_RESPONSE: by default 30, or an equal
    /// share of the ttl where that is less. Less than the ttl, where NO_RESPONSE is retried.
    pub wait: Option<i64>,
    /// The limit of the first backoff, in seconds: by default 5.
    pub base: Option<i64>,
    /// The limit of every backoff, in seconds: by default 300.
    pub cap: Option<i64>,
}

impl Retry {
    /// The most attempts: a row keeps a history entry for each failed one, and has to stay small.
    pub const MAX_ATTEMPTS: u32 = 10;
    const DEFAULT_ATTEMPTS: u32 = 3;
    const DEFAULT_WAIT: u32 = 30;
    const DEFAULT_BASE: u32 = 5;
    const DEFAULT_CAP: u32 = 300;
    const MAX_SECONDS: u32 = 24 * 3600;

    /// Validates the policy of a command with this ttl.
    ///
    /// # Errors
    /// [`RetryError`] where a value is out of range, is no failure, or contradicts another.
    pub fn new(options: &RetryOptions<'_>, ttl_seconds: u32) -> Result<Self, RetryError> {
        let attempts = in_range("retry.attempts", options.attempts, Self::DEFAULT_ATTEMPTS, 2, Self::MAX_ATTEMPTS)?;
        let share = (ttl_seconds / attempts).clamp(1, Self::DEFAULT_WAIT);
        let wait = in_range("retry.wait", options.wait, share, 1, Self::MAX_SECONDS)?;
        let cap = in_range("retry.backoff.cap", options.cap, Self::DEFAULT_CAP, 0, Self::MAX_SECONDS)?;
        let base = in_range("retry.backoff.base", options.base, Self::DEFAULT_BASE.min(cap), 0, Self::MAX_SECONDS)?;
        if base > cap {
            return Err(RetryError::BaseBeyondCap { base, cap });
        }
        let mut on = FailureSet(0);
        for word in options.on.as_deref().unwrap_or(&["NO_RESPONSE"]) {
            let failure = AttemptFailure::parse(word);
            on.0 |= failure.ok_or_else(|| RetryError::Reason(word.chars().take(64).collect()))? as u8;
        }
        if on.0 == 0 {
            return Err(RetryError::NoReason);
        }
        let max_attempts = Attempt::try_from(attempts).unwrap_or(Attempt::MAX);
        let retry = Self { max_attempts, on, wait, base, cap };
        // The default wait is a share of the ttl, so it is less than the ttl.
        if options.wait.is_some() && retry.names(AttemptFailure::NoResponse) && wait >= ttl_seconds {
            return Err(RetryError::WaitBeyondTtl { wait, ttl: ttl_seconds });
        }
        Ok(retry)
    }

    /// The most attempts of an execution, the first included.
    pub const fn max_attempts(&self) -> Attempt {
        self.max_attempts
    }

    /// The failures that are retried.
    pub fn on(&self) -> impl Iterator<Item = AttemptFailure> {
        AttemptFailure::ALL.into_iter().filter(|failure| self.names(*failure))
    }

    /// Whether this failure is retried.
    pub const fn names(&self, failure: AttemptFailure) -> bool {
        self.on.0 & failure as u8 != 0
    }

    /// After how many seconds without a report an attempt has failed with NO_RESPONSE.
    pub const fn wait_seconds(&self) -> u32 {
        self.wait
    }

    /// The limits of the first backoff and of every backoff, in seconds.
    pub const fn backoff_seconds(&self) -> (u32, u32) {
        (self.base, self.cap)
    }

    /// How many seconds after the failure of this attempt the next one is sent: capped exponential backoff with full
    /// jitter.
    pub fn delay_seconds(&self, id: &ExecutionId, attempt: Attempt) -> u32 {
        full_jitter(id, attempt, self.base, self.cap)
    }

    /// The policy as it is stored: five numbers.
    pub fn to_stored(&self) -> String {
        format!("{} {} {} {} {}", self.max_attempts, self.on.0, self.wait, self.base, self.cap)
    }

    /// The policy as it was stored; none for any other text.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| number.parse::<u32>().ok());
        let mut next = || numbers.next().flatten();
        let retry = Self {
            max_attempts: next()?.try_into().ok()?,
            on: FailureSet(next()?.try_into().ok()?),
            wait: next()?,
            base: next()?,
            cap: next()?,
        };
        numbers.next().is_none().then_some(retry)
    }
}

fn in_range(field: &'static str, found: Option<i64>, default: u32, least: u32, most: u32) -> Result<u32, RetryError> {
    let Some(found) = found else { return Ok(default) };
    match u32::try_from(found) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(RetryError::OutOfRange { field, least, most, found }),
    }
}

#[cfg(test)]
mod tests;
