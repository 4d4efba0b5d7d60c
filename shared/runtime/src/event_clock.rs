//! The clock of a handler: the time of its event, plus the time that has passed since then.
//!
//! An event carries its own time, and every decision is made by it. A handler that works for seconds needs to know how
//! much later it is meanwhile; this is the only place that reads a clock for that, and only to measure an interval.

use std::{sync::LazyLock, time::Duration};

use domain::Timestamp;
use lambda_runtime::Context;
use tokio::time::Instant;

use crate::config;

/// Whether the clock of the events stands still: then no time passes while an event is handled, however slow the machine
/// is.
static STANDS: LazyLock<bool> = LazyLock::new(config::event_clock_stands);

/// The time as a handler sees it.
#[derive(Clone, Copy, Debug)]
pub struct EventClock {
    event_time: Timestamp,
    /// How late its handling began.
    late: Duration,
    started: Instant,
}

impl EventClock {
    /// A clock that shows `event_time` now, and goes on from there.
    pub fn start(event_time: Timestamp) -> Self {
        Self { event_time, late: Duration::ZERO, started: Instant::now() }
    }

    /// The clock of an event whose handling begins at `start`, which may be long after its time: Lambda retries an event
    /// after minutes.
    pub fn start_late(event_time: Timestamp, start: Timestamp) -> Self {
        let millis = start.as_millis().saturating_sub(event_time.as_millis());
        Self { event_time, late: Duration::from_millis(millis.try_into().unwrap_or(0)), started: Instant::now() }
    }

    /// The time of the event; the same during the whole handling.
    pub fn event_time(self) -> Timestamp {
        self.event_time
    }

    /// The time of the event plus the time since then, to the millisecond: each step of a history has its own.
    pub fn now(self) -> Timestamp {
        self.event_time.plus(self.since_event())
    }

    /// How long ago the time of the event is.
    pub fn since_event(self) -> Duration {
        self.late.saturating_add(self.elapsed())
    }

    /// The whole seconds from now until `at`, rounded up; 0 where it has passed: the delay of a message that has to
    /// arrive then, and never before.
    pub fn seconds_until(self, at: Timestamp) -> u32 {
        self.now().seconds_until(at)
    }

    /// How long the event has been handled; 0 if the clock of the events stands still.
    pub fn elapsed(self) -> Duration {
        if *STANDS { Duration::ZERO } else { self.started.elapsed() }
    }

    /// As [`Self::elapsed`], in whole seconds.
    pub fn elapsed_seconds(self) -> u32 {
        u32::try_from(self.elapsed().as_secs()).unwrap_or(u32::MAX)
    }
}

/// When an invocation began. A stream may deliver a record long after it was written, and Lambda retries an event that it
/// could not hand over, or that failed.
///
/// Lambda passes the deadline of the invocation; the timeout of the function is in the template.
pub fn invocation_start(context: &Context, timeout_seconds: u32) -> Timestamp {
    let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Timestamp::from_millis(deadline).minus_seconds(timeout_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clock_goes_on_from_the_event_time() {
        let event_time = Timestamp::from_millis(1_700_000_000_123);
        let clock = EventClock::start(event_time);
        assert_eq!((clock.now(), clock.elapsed_seconds()), (event_time, 0));
        tokio::time::advance(Duration::from_millis(2_999)).await;
        let later = Timestamp::from_millis(1_700_000_003_122);
        assert_eq!((clock.now(), clock.elapsed_seconds()), (later, 2));
        assert_eq!(clock.event_time(), event_time);
    }

    #[tokio::test(start_paused = true)]
    async fn delay_is_rounded_up_so_that_nothing_arrives_early() {
        let clock = EventClock::start(Timestamp::from_millis(1_700_000_000_123));
        let at = Timestamp::from_seconds(1_700_000_003);
        assert_eq!((clock.seconds_until(at), clock.seconds_until(clock.event_time())), (3, 0));
        tokio::time::advance(Duration::from_millis(877)).await;
        assert_eq!(clock.seconds_until(at), 2);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(clock.seconds_until(at), 2, "1,999 ms");
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(clock.seconds_until(at), 0, "it has passed");
    }

    #[tokio::test(start_paused = true)]
    async fn late_handling_begins_with_the_time_that_has_passed() {
        let event_time = Timestamp::from_millis(1_700_000_000_123);
        let late = EventClock::start_late(event_time, Timestamp::from_millis(1_700_000_061_000));
        assert_eq!((late.event_time(), late.now()), (event_time, Timestamp::from_millis(1_700_000_061_000)));
        tokio::time::advance(Duration::from_millis(123)).await;
        assert_eq!((late.since_event(), late.elapsed_seconds()), (Duration::from_secs(61), 0));
        let early = EventClock::start_late(event_time, Timestamp::from_millis(1_700_000_000_000));
        assert_eq!(early.now(), event_time, "the clocks of two services differ");
    }

    #[test]
    fn invocation_starts_its_timeout_before_its_deadline() {
        let mut context = Context::default();
        context.deadline = 1_700_000_060_000;
        assert_eq!(invocation_start(&context, 60), Timestamp::from_seconds(1_700_000_000));
    }
}
