//! Which due entries have a wake, and who sends it.
//!
//! The schedule fires once a minute. Time is cut into cells of a minute. The writer of an entry sends its wake if the
//! entry lies before the end of the next cell; every later entry is left to the schedule's tick of a later cell, which
//! sends the wakes of the cell after its own. So each entry has a wake, with any interval between two ticks, and
//! an execution that is answered within a minute or two of a longer ttl costs no message.
//!
//! An entry has a second wake only where the tick of a cell comes after the cell's begin, and the entry was written in
//! between: both senders know of it then. A tick that arrives after its own cell is over may be too late for the first
//! entries of the next one.

use std::ops::RangeInclusive;

use crate::timestamp::Timestamp;

/// The length of a cell: the time between two events of the schedule.
pub(super) const CELL_SECONDS: i64 = 60;

/// Whether the writer of a due entry sends its wake. The wake of an entry whose time has passed meanwhile, since an event
/// may be handled long after its time, arrives at once.
pub fn is_woken_by_writer(due: i64, now: Timestamp) -> bool {
    due <= cell_start(now) + 2 * CELL_SECONDS
}

/// The entries whose wakes a tick of the schedule sends: those of the cell after its own.
pub fn look_ahead(scheduled: Timestamp) -> RangeInclusive<i64> {
    let start = cell_start(scheduled);
    start + CELL_SECONDS + 1..=start + 2 * CELL_SECONDS
}

fn cell_start(now: Timestamp) -> i64 {
    let seconds = now.as_seconds();
    seconds - seconds.rem_euclid(CELL_SECONDS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGIN: i64 = 1_700_000_040;

    proptest! {
        /// Ticks are scheduled at any moment of their cells, and arrive late, but before the cell after theirs is over.
        #[test]
        fn every_entry_has_a_wake_by_its_time(
            phase in 0..60_000_i64, late in prop::collection::vec(0.0..1.0, 12),
            written in 0..120_000_i64, ahead in 1..600_i64,
        ) {
            let now = Timestamp::from_millis(BEGIN * 1000 + written);
            let due = now.as_seconds() + ahead;
            let ticks = (0..12).zip(late).map(|(cell, late)| {
                let scheduled = Timestamp::from_millis((BEGIN + cell * 60) * 1000 + phase);
                let late = ((60_000 - phase) as f64 * late) as i64;
                (scheduled, Timestamp::from_millis(scheduled.as_millis() + late))
            });
            let from_ticks = ticks.filter(|(scheduled, arrives)| {
                *arrives >= now && look_ahead(*scheduled).contains(&due)
            });
            let mut sent: Vec<_> = from_ticks.map(|(_, arrives)| arrives).collect();
            sent.extend(is_woken_by_writer(due, now).then_some(now));
            prop_assert!(sent.iter().any(|at| at.as_seconds() <= due), "{sent:?}");
            prop_assert!(sent.len() <= 2, "{sent:?}");
        }

        #[test]
        fn entry_has_one_wake_where_ticks_begin_the_cells(written in 0..120_000_i64, ahead in 1..600_i64) {
            let now = Timestamp::from_millis(BEGIN * 1000 + written);
            let due = now.as_seconds() + ahead;
            let ticks = (0..12).map(|cell| Timestamp::from_seconds(BEGIN + cell * 60)).filter(|tick| *tick >= now);
            let by_ticks = ticks.filter(|tick| look_ahead(*tick).contains(&due)).count();
            let by_writer = usize::from(is_woken_by_writer(due, now));
            // A tick of the very millisecond of the write finds the entry too.
            let at_tick = usize::from(now.as_millis() % 60_000 == BEGIN * 1000 % 60_000);
            prop_assert!((1..=1 + at_tick).contains(&(by_ticks + by_writer)), "{by_ticks} + {by_writer}");
        }
    }

    #[test]
    fn entry_has_a_wake_until_the_end_of_the_next_cell() {
        let now = Timestamp::from_millis(BEGIN * 1000 + 500);
        assert!(is_woken_by_writer(BEGIN - 100, now) && is_woken_by_writer(BEGIN + 1, now));
        assert!(is_woken_by_writer(BEGIN + 120, now) && !is_woken_by_writer(BEGIN + 121, now));
    }
}
