//! When a device is asked again: how often, for which reasons, and after how long.

use sha2::{Digest, Sha256};

use crate::{Attempt, ExecutionId, Reported};

/// What a caller lets happen after an attempt that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retry {
    attempts: Attempt,
    on: RetryOn,
    wait: u32,
    base: u32,
    cap: u32,
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// The request went out, and nothing was heard for as long as the policy waits.
    NoResponse = 1,
    /// The device ran, and then fell silent.
    HeartbeatLost = 2,
    /// The device could not.
    Failed = 4,
    /// The device would not.
    Rejected = 8,
    /// The device gave up.
    TimedOut = 16,
}

/// A set of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct RetryOn(u8);

/// A policy that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// Too few to be a retry, or too many.
    #[error("{field} must be {least} to {most}: it is {found}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// At least.
        least: u32,
        /// At most.
        most: u32,
        /// What it is.
        found: i64,
    },
    /// A reason that no attempt ends for.
    #[error("retry.on must name NO_RESPONSE, HEARTBEAT_LOST, FAILED, REJECTED or TIMED_OUT: it has {0:?}")]
    Reason(String),
    /// It would never ask again.
    #[error("retry.on must name at least one reason, such as NO_RESPONSE")]
    NoReason,
    /// It would notice that nobody answers only when it is too late to ask again.
    #[error(
        "retry.wait must be less than the ttl where retry.on names NO_RESPONSE, else nobody is asked again: \
         {wait} is not less than {ttl}"
    )]
    WaitBeyondTtl {
        /// What the caller wants to wait, in seconds.
        wait: u32,
        /// And how long there is.
        ttl: u32,
    },
    /// The backoff would begin above its own limit.
    #[error("retry.backoff.base must not be more than retry.backoff.cap: {base} is more than {cap}")]
    BaseBeyondCap {
        /// The first backoff's limit.
        base: u32,
        /// The last one's.
        cap: u32,
    },
}

impl RetryError {
    /// The field of the definition that is wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } => field,
            Self::Reason(_) | Self::NoReason => "retry.on",
            Self::WaitBeyondTtl { .. } => "retry.wait",
            Self::BaseBeyondCap { .. } => "retry.backoff.base",
        }
    }
}

impl Failure {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::NoResponse, Self::HeartbeatLost, Self::Failed, Self::Rejected, Self::TimedOut];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoResponse => "NO_RESPONSE",
            Self::HeartbeatLost => "HEARTBEAT_LOST",
            Self::Failed => "FAILED",
            Self::Rejected => "REJECTED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// The one that this word says.
    pub fn parse(word: &str) -> Result<Self, RetryError> {
        let found = Self::ALL.into_iter().find(|failure| failure.as_str() == word);
        found.ok_or_else(|| RetryError::Reason(word.chars().take(64).collect()))
    }

    /// Whether the end of an attempt, as its step tells it, was the cloud's guess; none if it is not the end of one.
    pub(crate) fn is_guess(what: &str) -> Option<bool> {
        match Self::parse(what.split(' ').next().unwrap_or_default()).ok()? {
            Self::NoResponse | Self::HeartbeatLost => Some(true),
            Self::Failed | Self::Rejected | Self::TimedOut => Some(false),
        }
    }

    /// The one that a device reports, if it reports one.
    pub const fn reported(reported: Reported) -> Option<Self> {
        match reported {
            Reported::InProgress { .. } | Reported::Succeeded => None,
            Reported::Failed => Some(Self::Failed),
            Reported::Rejected => Some(Self::Rejected),
            Reported::TimedOut => Some(Self::TimedOut),
        }
    }
}

/// What a caller says of a policy; what is not said has a default.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// The first try included: 2 to 10, by default 3.
    pub attempts: Option<i64>,
    /// By default NO_RESPONSE.
    pub on: Option<Vec<&'a str>>,
    /// After how many seconds without a first word an attempt came to nothing: by default 30, or an equal share of the ttl
    /// where that is less. Where NO_RESPONSE is among the reasons, it is less than the ttl.
    pub wait: Option<i64>,
    /// The limit of the first backoff, in seconds: by default 5.
    pub base: Option<i64>,
    /// The limit of every backoff, in seconds: by default 300.
    pub cap: Option<i64>,
}

impl Retry {
    /// A row holds what became of every attempt, and stays small.
    pub const MOST_ATTEMPTS: u32 = 10;
    const ATTEMPTS: u32 = 3;
    const WAIT: u32 = 30;
    const BASE: u32 = 5;
    const CAP: u32 = 300;
    const LONGEST: u32 = 24 * 3600;

    /// The policy as asked for, of a command with this ttl.
    pub fn new(asked: &Asked<'_>, ttl: u32) -> Result<Self, RetryError> {
        let within = |field, found: Option<i64>, default, least, most| match found {
            None => Ok(default),
            Some(found) => match u32::try_from(found) {
                Ok(number) if (least..=most).contains(&number) => Ok(number),
                _ => Err(RetryError::OutOfRange { field, least, most, found }),
            },
        };
        let attempts = within("retry.attempts", asked.attempts, Self::ATTEMPTS, 2, Self::MOST_ATTEMPTS)?;
        let share = (ttl / attempts).clamp(1, Self::WAIT);
        let wait = within("retry.wait", asked.wait, share, 1, Self::LONGEST)?;
        let cap = within("retry.backoff.cap", asked.cap, Self::CAP, 0, Self::LONGEST)?;
        let base = within("retry.backoff.base", asked.base, Self::BASE.min(cap), 0, Self::LONGEST)?;
        if base > cap {
            return Err(RetryError::BaseBeyondCap { base, cap });
        }
        let mut on = RetryOn(0);
        for word in asked.on.as_deref().unwrap_or(&["NO_RESPONSE"]) {
            on.0 |= Failure::parse(word)? as u8;
        }
        if on.0 == 0 {
            return Err(RetryError::NoReason);
        }
        let attempts = Attempt::try_from(attempts).unwrap_or(Attempt::MAX);
        let retry = Self { attempts, on, wait, base, cap };
        // A share of the ttl is less than the ttl by itself.
        if asked.wait.is_some() && retry.names(Failure::NoResponse) && wait >= ttl {
            return Err(RetryError::WaitBeyondTtl { wait, ttl });
        }
        Ok(retry)
    }

    /// How many attempts there are at most, the first one included.
    pub const fn attempts(&self) -> Attempt {
        self.attempts
    }

    /// The reasons that it names.
    pub fn on(&self) -> impl Iterator<Item = Failure> {
        Failure::ALL.into_iter().filter(|failure| self.names(*failure))
    }

    /// Whether it names this reason.
    pub const fn names(&self, failure: Failure) -> bool {
        self.on.0 & failure as u8 != 0
    }

    /// After how many seconds without a first word an attempt came to nothing.
    pub const fn wait(&self) -> u32 {
        self.wait
    }

    /// The limits of the first backoff and of every one, in seconds.
    pub const fn backoff(&self) -> (u32, u32) {
        (self.base, self.cap)
    }

    /// How long after this attempt the next one goes out, in seconds: capped exponential backoff with full jitter.
    pub fn delay(&self, id: &ExecutionId, attempt: Attempt) -> u32 {
        full_jitter(id, attempt, self.base, self.cap)
    }

    /// As it is stored: five numbers.
    pub fn to_stored(&self) -> String {
        format!("{} {} {} {} {}", self.attempts, self.on.0, self.wait, self.base, self.cap)
    }

    /// As it was stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| number.parse::<u32>().ok());
        let mut next = || numbers.next().flatten();
        let retry = Self {
            attempts: next()?.try_into().ok()?,
            on: RetryOn(next()?.try_into().ok()?),
            wait: next()?,
            base: next()?,
            cap: next()?,
        };
        numbers.next().is_none().then_some(retry)
    }
}

/// Any number of seconds up to `base * 2^(n - 1)`, and to `cap`: the same for the same execution and number, so that whoever
/// decides it twice decides the same, and spread evenly over a fleet, since an execution's id is a hash.
pub(crate) fn full_jitter(id: &ExecutionId, n: Attempt, base: u32, cap: u32) -> u32 {
    let doublings = u32::from(n.saturating_sub(1)).min(31);
    let limit = (u64::from(base) << doublings).min(u64::from(cap));
    let digest = Sha256::new().chain_update(id.as_str()).chain_update(n.to_be_bytes()).finalize();
    let random = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    u32::try_from(random % (limit + 1)).unwrap_or(cap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u32) -> ExecutionId {
        let id = crate::CommandId::from_request(crate::Timestamp::from_seconds(i64::from(n)), "request");
        ExecutionId::of(&id, &crate::ThingName::parse("pump-7").unwrap())
    }

    #[test]
    fn what_is_not_asked_for_has_a_default() {
        let retry = Retry::new(&Asked::default(), 300).unwrap();
        assert_eq!((retry.attempts(), retry.wait(), retry.backoff()), (3, 30, (5, 300)));
        assert_eq!(retry.on().collect::<Vec<_>>(), [Failure::NoResponse]);
        assert_eq!(Retry::new(&Asked::default(), 10).unwrap().wait(), 3, "three tries within the ttl");
        assert_eq!(Retry::new(&Asked { cap: Some(2), ..Asked::default() }, 10).unwrap().backoff(), (2, 2));
    }

    #[test]
    fn what_makes_no_sense_names_its_field() {
        let refused = |asked: Asked<'_>| Retry::new(&asked, 300).unwrap_err();
        for (asked, field) in [
            (Asked { attempts: Some(1), ..Asked::default() }, "retry.attempts"),
            (Asked { attempts: Some(11), ..Asked::default() }, "retry.attempts"),
            (Asked { attempts: Some(-1), ..Asked::default() }, "retry.attempts"),
            (Asked { wait: Some(0), ..Asked::default() }, "retry.wait"),
            (Asked { cap: Some(i64::MAX), ..Asked::default() }, "retry.backoff.cap"),
            (Asked { base: Some(301), ..Asked::default() }, "retry.backoff.base"),
            (Asked { on: Some(vec![]), ..Asked::default() }, "retry.on"),
            (Asked { on: Some(vec!["EXPIRED"]), ..Asked::default() }, "retry.on"),
            (Asked { wait: Some(300), ..Asked::default() }, "retry.wait"),
            (Asked { wait: Some(301), on: Some(vec!["FAILED", "NO_RESPONSE"]), ..Asked::default() }, "retry.wait"),
        ] {
            let error = refused(asked);
            assert_eq!(error.field(), field, "{error}");
        }
    }

    #[test]
    fn a_wait_fits_into_the_ttl_where_anybody_waits() {
        let asked = |wait, on| Asked { wait, on: Some(vec![on]), ..Asked::default() };
        assert!(Retry::new(&asked(Some(299), "NO_RESPONSE"), 300).is_ok());
        assert!(Retry::new(&asked(Some(300), "FAILED"), 300).is_ok(), "nobody waits");
        for (ttl, attempts) in (2..100).flat_map(|ttl| (2..=10).map(move |attempts| (ttl, attempts))) {
            let retry = Retry::new(&Asked { attempts: Some(attempts), ..Asked::default() }, ttl).unwrap();
            assert!(retry.wait() < ttl, "{attempts} attempts within {ttl} s");
        }
    }

    proptest! {
        #[test]
        fn a_policy_is_read_as_it_is_written(
            attempts in 2..=10i64, on in proptest::sample::subsequence(Failure::ALL.to_vec(), 1..=5),
            wait in 1..=86400i64, base in 0..=86400i64, more in 0..=86400i64,
        ) {
            let on = Some(on.iter().map(|failure| failure.as_str()).collect());
            let cap = Some((base + more).min(86400));
            let asked = Asked { attempts: Some(attempts), on, wait: Some(wait), base: Some(base), cap };
            let retry = Retry::new(&asked, 86401).unwrap();
            prop_assert_eq!(Retry::from_stored(&retry.to_stored()), Some(retry));
        }

        #[test]
        fn a_backoff_keeps_its_limits(n in 1..200u16, base in 0..1000u32, more in 0..100_000u32, seed in 0..1000u32) {
            let delay = full_jitter(&id(seed), n, base, base + more);
            prop_assert!(delay <= base + more);
            if n == 1 {
                prop_assert!(delay <= base);
            }
        }
    }

    #[test]
    fn a_fleet_does_not_come_back_in_lock_step() {
        let delays: std::collections::BTreeSet<u32> = (0..1000).map(|n| full_jitter(&id(n), 5, 5, 300)).collect();
        assert!(delays.len() > 75, "{} of 81", delays.len());
        assert_eq!((delays.first(), delays.last()), (Some(&0), Some(&80)));
    }
}
