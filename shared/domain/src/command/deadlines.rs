//! Ttl, timeout and heartbeat of a command, in seconds, validated together; and how long rows are kept.

/// The durations of a command, in seconds. None follows from another, and they must not contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    ttl: u32,
    timeout: u32,
    heartbeat: Option<u32>,
}

/// Why deadlines are refused. All values are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// A duration is zero, negative or longer than [`Deadlines::MAX_SECONDS`].
    #[error("{field} must be 1 to {max} seconds: it is {found}", max = Deadlines::MAX_SECONDS)]
    OutOfRange {
        /// `ttl`, `timeout` or `heartbeat`.
        field: &'static str,
        /// The refused value.
        found: i64,
    },
    /// The device could still start when it must have finished.
    #[error("ttl must not be longer than timeout, both count from the creation: {ttl} is more than {timeout}")]
    TtlBeyondTimeout {
        /// The refused ttl.
        ttl: u32,
        /// The timeout.
        timeout: u32,
    },
    /// The timeout would end the execution before a heartbeat could be missed.
    #[error("heartbeat must not be longer than timeout: {heartbeat} is more than {timeout}")]
    HeartbeatBeyondTimeout {
        /// The refused heartbeat interval.
        heartbeat: u32,
        /// The timeout.
        timeout: u32,
    },
    /// More heartbeats than the sequence number of [`Progress`](crate::execution::progress::Progress) counts.
    #[error("heartbeat must be at least {least} seconds for a timeout of {timeout}")]
    HeartbeatTooFrequent {
        /// The shortest heartbeat interval for this timeout.
        least: u32,
        /// The timeout.
        timeout: u32,
    },
}

impl DeadlineError {
    /// The field of the request body that is wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } => field,
            Self::TtlBeyondTimeout { .. } => "ttl",
            Self::HeartbeatBeyondTimeout { .. } | Self::HeartbeatTooFrequent { .. } => "heartbeat",
        }
    }
}

/// How long a row is kept after its last deadline: thirty days.
pub(crate) const RETENTION_SECONDS: u32 = 30 * 24 * 3600;

/// How long a running device may send no heartbeat: three intervals, so that one lost or late heartbeat has no
/// consequence.
pub(crate) fn silence_seconds(heartbeat_seconds: u32) -> u32 {
    heartbeat_seconds.saturating_mul(3)
}

impl Deadlines {
    /// The longest duration: thirty days.
    pub const MAX_SECONDS: u32 = 30 * 24 * 3600;
    const DEFAULT_TTL: u32 = 300;
    const DEFAULT_TIMEOUT: u32 = 3600;
    /// The largest sequence number of a heartbeat.
    const MAX_HEARTBEATS: u32 = 65535;

    /// Validates durations in seconds. The default ttl is five minutes and the default timeout an hour, adjusted to
    /// the other durations where these are given.
    ///
    /// # Errors
    /// [`DeadlineError`] where a duration is out of range or contradicts another.
    pub fn new(ttl: Option<i64>, timeout: Option<i64>, heartbeat: Option<i64>) -> Result<Self, DeadlineError> {
        let ttl = ttl.map(|found| in_range("ttl", found)).transpose()?;
        let timeout = timeout.map(|found| in_range("timeout", found)).transpose()?;
        let heartbeat = heartbeat.map(|found| in_range("heartbeat", found)).transpose()?;
        let timeout =
            timeout.unwrap_or_else(|| ttl.unwrap_or(0).max(heartbeat.unwrap_or(0)).max(Self::DEFAULT_TIMEOUT));
        let ttl = ttl.unwrap_or(Self::DEFAULT_TTL.min(timeout));
        if ttl > timeout {
            return Err(DeadlineError::TtlBeyondTimeout { ttl, timeout });
        }
        let least = timeout.div_ceil(Self::MAX_HEARTBEATS);
        match heartbeat {
            Some(heartbeat) if heartbeat > timeout => Err(DeadlineError::HeartbeatBeyondTimeout { heartbeat, timeout }),
            Some(heartbeat) if heartbeat < least => Err(DeadlineError::HeartbeatTooFrequent { least, timeout }),
            _ => Ok(Self { ttl, timeout, heartbeat }),
        }
    }

    /// The device must have started within this time after the creation, in seconds.
    pub const fn ttl_seconds(self) -> u32 {
        self.ttl
    }

    /// The device must have finished within this time after the creation, in seconds.
    pub const fn timeout_seconds(self) -> u32 {
        self.timeout
    }

    /// The interval of the heartbeats of a running device, in seconds; none: no heartbeats are expected.
    pub const fn heartbeat_seconds(self) -> Option<u32> {
        self.heartbeat
    }
}

fn in_range(field: &'static str, found: i64) -> Result<u32, DeadlineError> {
    match u32::try_from(found) {
        Ok(seconds @ 1..=Deadlines::MAX_SECONDS) => Ok(seconds),
        _ => Err(DeadlineError::OutOfRange { field, found }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn defaults_agree_with_the_given_durations() {
        let of = |ttl, timeout| Deadlines::new(ttl, timeout, None).map(|d| (d.ttl_seconds(), d.timeout_seconds()));
        assert_eq!(of(None, None), Ok((300, 3600)));
        assert_eq!(of(Some(7200), None), Ok((7200, 7200)));
        assert_eq!(of(None, Some(60)), Ok((60, 60)));
        assert_eq!(of(Some(5), Some(5)), Ok((5, 5)));
    }

    #[test]
    fn errors_name_the_field() {
        let refused = |ttl, timeout, heartbeat| Deadlines::new(ttl, timeout, heartbeat).unwrap_err();
        for (error, field) in [
            (refused(Some(0), None, None), "ttl"),
            (refused(Some(-5), None, None), "ttl"),
            (refused(None, Some(i64::MAX), None), "timeout"),
            (refused(None, None, Some(0)), "heartbeat"),
            (refused(Some(61), Some(60), None), "ttl"),
            (refused(None, Some(60), Some(61)), "heartbeat"),
            (refused(None, Some(2_592_000), Some(39)), "heartbeat"),
        ] {
            assert_eq!(error.field(), field, "{error}");
        }
        assert!(Deadlines::new(None, Some(2_592_000), Some(40)).is_ok());
        assert_eq!(refused(Some(0), None, None).to_string(), "ttl must be 1 to 2592000 seconds: it is 0");
    }

    proptest! {
        #[test]
        fn accepted_deadlines_are_consistent(
            ttl in proptest::option::of(-5..3_000_000i64), timeout in proptest::option::of(-5..3_000_000i64),
            heartbeat in proptest::option::of(-5..100_000i64),
        ) {
            if let Ok(deadlines) = Deadlines::new(ttl, timeout, heartbeat) {
                let (ttl, timeout) = (deadlines.ttl_seconds(), deadlines.timeout_seconds());
                prop_assert!(1 <= ttl && ttl <= timeout);
                prop_assert!(timeout <= Deadlines::MAX_SECONDS);
                if let Some(heartbeat) = deadlines.heartbeat_seconds() {
                    prop_assert!(heartbeat <= timeout && timeout / heartbeat <= 65535);
                }
            }
        }
    }
}
