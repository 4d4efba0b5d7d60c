//! The three clocks of a command, in seconds. None is inferred from another, and they may not contradict each other.

/// How long a command may take, and how often it has to be heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    ttl: u32,
    timeout: u32,
    heartbeat: Option<u32>,
}

/// Deadlines that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// Zero, negative or enormous.
    #[error("{field} must be 1 to {longest} seconds: it is {found}", longest = Deadlines::LONGEST)]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// What it is.
        found: i64,
    },
    /// It could still begin when it must have ended.
    #[error("ttl must not be longer than timeout, both count from the creation: {ttl} is more than {timeout}")]
    TtlBeyondTimeout {
        /// Must have started by.
        ttl: u32,
        /// Must have finished by.
        timeout: u32,
    },
    /// It would never be missed.
    #[error("heartbeat must not be longer than timeout: {heartbeat} is more than {timeout}")]
    HeartbeatBeyondTimeout {
        /// Heard of at least this often.
        heartbeat: u32,
        /// Must have finished by.
        timeout: u32,
    },
    /// More beats than can be told apart.
    #[error("heartbeat must be at least {least} seconds for a timeout of {timeout}")]
    HeartbeatTooFrequent {
        /// The least that would be right.
        least: u32,
        /// Must have finished by.
        timeout: u32,
    },
}

impl DeadlineError {
    /// The field of the definition that is wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } => field,
            Self::TtlBeyondTimeout { .. } => "ttl",
            Self::HeartbeatBeyondTimeout { .. } | Self::HeartbeatTooFrequent { .. } => "heartbeat",
        }
    }
}

impl Deadlines {
    /// Thirty days.
    pub const LONGEST: u32 = 30 * 24 * 3600;
    const TTL: u32 = 300;
    const TIMEOUT: u32 = 3600;
    /// A register counts this many heartbeats.
    const BEATS: u32 = 65535;

    /// The deadlines as asked for. What is not given is five minutes to begin and an hour to end, or whatever agrees with
    /// the one that is given.
    pub fn new(ttl: Option<i64>, timeout: Option<i64>, heartbeat: Option<i64>) -> Result<Self, DeadlineError> {
        let ttl = ttl.map(|found| seconds("ttl", found)).transpose()?;
        let timeout = timeout.map(|found| seconds("timeout", found)).transpose()?;
        let heartbeat = heartbeat.map(|found| seconds("heartbeat", found)).transpose()?;
        let timeout = timeout.unwrap_or_else(|| ttl.unwrap_or(0).max(heartbeat.unwrap_or(0)).max(Self::TIMEOUT));
        let ttl = ttl.unwrap_or(Self::TTL.min(timeout));
        if ttl > timeout {
            return Err(DeadlineError::TtlBeyondTimeout { ttl, timeout });
        }
        let least = timeout.div_ceil(Self::BEATS);
        match heartbeat {
            Some(heartbeat) if heartbeat > timeout => Err(DeadlineError::HeartbeatBeyondTimeout { heartbeat, timeout }),
            Some(heartbeat) if heartbeat < least => Err(DeadlineError::HeartbeatTooFrequent { least, timeout }),
            _ => Ok(Self { ttl, timeout, heartbeat }),
        }
    }

    /// Must have started this long after its creation.
    pub const fn ttl(self) -> u32 {
        self.ttl
    }

    /// Must have finished this long after its creation.
    pub const fn timeout(self) -> u32 {
        self.timeout
    }

    /// Must be heard of this often while it runs.
    pub const fn heartbeat(self) -> Option<u32> {
        self.heartbeat
    }
}

fn seconds(field: &'static str, found: i64) -> Result<u32, DeadlineError> {
    match u32::try_from(found) {
        Ok(seconds @ 1..=Deadlines::LONGEST) => Ok(seconds),
        _ => Err(DeadlineError::OutOfRange { field, found }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_given_agrees_with_what_is() {
        let of = |ttl, timeout| Deadlines::new(ttl, timeout, None).map(|d| (d.ttl(), d.timeout()));
        assert_eq!(of(None, None), Ok((300, 3600)));
        assert_eq!(of(Some(7200), None), Ok((7200, 7200)));
        assert_eq!(of(None, Some(60)), Ok((60, 60)));
        assert_eq!(of(Some(5), Some(5)), Ok((5, 5)));
    }

    #[test]
    fn contradictions_name_the_field() {
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
        fn whatever_is_accepted_is_consistent(
            ttl in proptest::option::of(-5..3_000_000i64), timeout in proptest::option::of(-5..3_000_000i64),
            heartbeat in proptest::option::of(-5..100_000i64),
        ) {
            if let Ok(deadlines) = Deadlines::new(ttl, timeout, heartbeat) {
                prop_assert!(1 <= deadlines.ttl() && deadlines.ttl() <= deadlines.timeout());
                prop_assert!(deadlines.timeout() <= Deadlines::LONGEST);
                if let Some(heartbeat) = deadlines.heartbeat() {
                    prop_assert!(heartbeat <= deadlines.timeout() && deadlines.timeout() / heartbeat <= 65535);
                }
            }
        }
    }
}
