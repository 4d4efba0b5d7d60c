//! The ticks of a minute. A schedule fires once a minute at most; it brings the first tick, and a queue delivers the
//! others in time.

use std::{num::ParseIntError, str::FromStr};

use aws::{Delayed, Error, Queue};
use domain::Timestamp;

use super::event::queue_message;

const MINUTE_SECONDS: u16 = 60;

/// The seconds between two ticks: a divisor of 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickInterval(u16);

/// Why a text is not a [`TickInterval`].
#[derive(Debug, thiserror::Error)]
pub enum IntervalError {
    /// The text is not a whole number.
    #[error("the seconds between two ticks ({0:?}) are no whole number")]
    Number(String, #[source] ParseIntError),
    /// The number does not divide 60, so the first tick of a minute would be too soon after the last one of the minute
    /// before.
    #[error("the seconds between two ticks ({0}) do not divide a minute")]
    Uneven(u16),
}

impl FromStr for TickInterval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let seconds = text.parse().map_err(|error| IntervalError::Number(text.to_owned(), error))?;
        if MINUTE_SECONDS.is_multiple_of(seconds) { Ok(Self(seconds)) } else { Err(IntervalError::Uneven(seconds)) }
    }
}

impl TickInterval {
    /// The ticks of a minute after its first one: the seconds from the first one to each, and its time.
    fn rest(self, first: Timestamp) -> impl Iterator<Item = (u16, Timestamp)> {
        (self.0..MINUTE_SECONDS)
            .step_by(self.0.into())
            .map(move |seconds| (seconds, first.plus_seconds(seconds.into())))
    }
}

/// Queues the later ticks of a minute.
#[derive(Clone, Debug)]
pub struct Ticks {
    queue: Queue,
    interval: TickInterval,
}

impl Ticks {
    /// Ticks on this queue.
    pub fn new(queue: Queue, interval: TickInterval) -> Self {
        Self { queue, interval }
    }

    /// Queues the ticks of a minute after its first one. The schedule never fires before its time, so a message, whose
    /// delay counts from now, never arrives before the time of its tick.
    ///
    /// # Errors
    /// A failed send.
    pub async fn queue_rest(&self, first: Timestamp) -> Result<(), Error> {
        let rest = self.interval.rest(first).map(|(seconds, time)| Delayed { seconds, body: queue_message(time) });
        self.queue.send(&rest.collect::<Vec<_>>()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(text: &str) -> TickInterval {
        text.parse().expect(text)
    }

    #[test]
    fn ticks_of_two_minutes_are_equally_far_apart() {
        let first = Timestamp::from_seconds(1_700_000_040);
        for seconds in [5, 6, 10, 12, 15, 20, 30, 60] {
            let minute = |first| {
                let rest = interval(&seconds.to_string()).rest(first).map(|(_, time)| time);
                std::iter::once(first).chain(rest).collect::<Vec<_>>()
            };
            let both = [minute(first), minute(first.plus_seconds(60))].concat();
            assert_eq!(both.len(), 120 / seconds as usize, "{seconds}");
            assert!(both.windows(2).all(|pair| pair[0].plus_seconds(seconds) == pair[1]), "{seconds}: {both:?}");
        }
    }

    #[test]
    fn tick_is_delayed_by_its_distance_from_the_first_one() {
        let first = Timestamp::from_millis(1_700_000_040_123);
        let rest: Vec<_> = interval("20").rest(first).collect();
        assert_eq!(rest, [(20, first.plus_seconds(20)), (40, first.plus_seconds(40))]);
    }

    #[test]
    fn interval_that_does_not_divide_a_minute_is_refused() {
        for text in ["", "five", "-5", "5.0", "0", "7", "61", "120", "70000"] {
            let error = text.parse::<TickInterval>().expect_err(text).to_string();
            assert!(error.contains("seconds between two ticks"), "{text}: {error}");
        }
    }
}
