//! The ticks of a minute: the schedule, which can do no better, brings the first; the queue hands back the others in time.

use std::{num::ParseIntError, str::FromStr};

use aws::{Delayed, Error, Queue};
use domain::Timestamp;

use super::events;

/// A schedule fires once a minute, no more often.
const MINUTE: u16 = 60;

/// Seconds from one tick to the next, at most a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every(u16);

/// What cannot be the time between two ticks.
#[derive(Debug, thiserror::Error)]
pub enum EveryError {
    /// No number.
    #[error("the seconds between two ticks ({0:?}) are no whole number")]
    Number(String, #[source] ParseIntError),
    /// A number that does not divide a minute: its last tick and the next minute's first would be closer.
    #[error("the seconds between two ticks ({0}) do not divide a minute")]
    Uneven(u16),
}

impl FromStr for Every {
    type Err = EveryError;

    fn from_str(text: &str) -> Result<Self, EveryError> {
        let seconds = text.parse().map_err(|error| EveryError::Number(text.to_owned(), error))?;
        if MINUTE.is_multiple_of(seconds) { Ok(Self(seconds)) } else { Err(EveryError::Uneven(seconds)) }
    }
}

impl Every {
    /// The ticks that follow the first of a minute: how many seconds after it each is, and when.
    fn rest(self, first: Timestamp) -> impl Iterator<Item = (u16, Timestamp)> {
        (self.0..MINUTE).step_by(self.0.into()).map(move |seconds| (seconds, first.plus_seconds(seconds.into())))
    }
}

/// The way to later ticks.
#[derive(Clone, Debug)]
pub struct Ticks {
    queue: Queue,
    every: Every,
}

impl Ticks {
    /// A tick every so often, those of the running minute on this queue.
    pub fn new(queue: Queue, every: Every) -> Self {
        Self { queue, every }
    }

    /// Queues the ticks between the first of a minute and the next one's first. They are counted from when the schedule
    /// fired, which is never before its time: no tick comes before the time that it says.
    pub async fn queue_rest(&self, first: Timestamp) -> Result<(), Error> {
        let rest = self.every.rest(first).map(|(seconds, at)| Delayed { seconds, body: events::message(at) });
        self.queue.send(&rest.collect::<Vec<_>>()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(text: &str) -> Every {
        text.parse().expect(text)
    }

    #[test]
    fn the_ticks_of_two_minutes_are_equally_far_apart() {
        let first = Timestamp::from_seconds(1_700_000_040);
        for seconds in [5, 6, 10, 12, 15, 20, 30, 60] {
            let minute = |first| {
                let rest = every(&seconds.to_string()).rest(first).map(|(_, at)| at);
                std::iter::once(first).chain(rest).collect::<Vec<_>>()
            };
            let both = [minute(first), minute(first.plus_seconds(60))].concat();
            assert_eq!(both.len(), 120 / seconds as usize, "{seconds}");
            assert!(both.windows(2).all(|pair| pair[0].plus_seconds(seconds) == pair[1]), "{seconds}: {both:?}");
        }
    }

    #[test]
    fn a_tick_is_delayed_by_what_it_is_later() {
        let first = Timestamp::from_millis(1_700_000_040_123);
        let rest: Vec<_> = every("20").rest(first).collect();
        assert_eq!(rest, [(20, first.plus_seconds(20)), (40, first.plus_seconds(40))]);
    }

    #[test]
    fn what_does_not_divide_a_minute_is_refused() {
        for text in ["", "five", "-5", "5.0", "0", "7", "61", "120", "70000"] {
            let error = text.parse::<Every>().expect_err(text).to_string();
            assert!(error.contains("seconds between two ticks"), "{text}: {error}");
        }
    }
}
