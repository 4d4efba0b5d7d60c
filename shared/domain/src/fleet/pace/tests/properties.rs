//! What holds for every rollout: the rate, that nothing is taken back, and that all go out in the end.

use proptest::prelude::*;

use super::*;
use crate::fleet::rollout::tests::{any_rate, any_rollout};
use crate::fleet::schedule::tests::any_window;

const HOUR: i64 = 3_600_000;

/// So many milliseconds after midnight of some day.
fn milli(millis: i64) -> Timestamp {
    Timestamp::from_millis(at(0).as_millis() + millis)
}

/// A fleet in which everybody succeeds, `answer` milliseconds after being asked. Nobody comes to look but when time says so, or an
/// answer does. How long it took until all were out, and how often somebody looked.
fn run(rollout: &Rollout, schedule: &Schedule, things: u64, tick: u32, answer: i64) -> (i64, usize) {
    let mut pace = Pace::default();
    let mut asked: Vec<(i64, u64)> = Vec::new();
    let mut now = 0;
    for looks in 1.. {
        assert!(looks < 100_000, "{pace:?}");
        let succeeded = asked.iter().filter(|(at, _)| at + answer <= now).map(|(_, things)| things).sum();
        let seen = ended(things, succeeded, succeeded);
        let step = pace.next(rollout, schedule, &seen, tick, milli(now));
        assert_eq!(step.stop, None);
        if step.released > pace.released {
            assert!(matches!(schedule.opens(milli(now)), Open::Now { .. }));
            asked.push((now, step.released - pace.released));
        }
        pace = step.pace();
        if pace.released == things {
            return (now, looks);
        }
        let again = step.look_again.map(|again| again.as_millis() - milli(0).as_millis());
        assert!(again.is_none_or(|again| again > now), "{step:?} at {now}");
        let answers = asked.iter().map(|(at, _)| at + answer).filter(|at| *at > now).min();
        now = again.into_iter().chain(answers).min().unwrap_or_else(|| panic!("nobody looks again: {step:?}"));
    }
    unreachable!("somebody looks for ever")
}

proptest! {
    /// In any minute, no more go out than the rate says, and a tick's worth.
    #[test]
    fn the_rate_holds_in_every_minute(
        asked in any_rate(3_000), window in proptest::option::of(any_window()), tick in 1..=90u32,
        looks in proptest::collection::vec((0..40_000i64, 0..100u64, 0..100u64, any::<bool>()), 1..200),
    ) {
        let rollout = Rollout::new(&asked).unwrap();
        prop_assume!(!rollout.is_immediate());
        let schedule = Schedule { window, ..ALWAYS };
        let (mut pace, mut now, mut known, mut succeeded) = (Pace::default(), 0, 0, 0);
        let mut log: Vec<(i64, u64)> = Vec::new();
        for (wait, more, well, rests) in looks {
            now += if rests { wait } else { wait % 1000 };
            (known, succeeded) = (known + more * 7, succeeded + well);
            let rate = u64::from(rollout.rate(pace.released, succeeded).unwrap());
            let seen = ended(known, succeeded, succeeded);
            let step = pace.next(&rollout, &schedule, &seen, tick, milli(now));
            log.push((now, step.released - pace.released));
            pace = step.pace();
            let minute: u64 = log.iter().filter(|(at, _)| at + 60_000 > now).map(|(_, things)| things).sum();
            let ticks_worth = (rate * u64::from(tick)).div_ceil(60).max(1);
            prop_assert!(minute <= rate + ticks_worth, "{} at {} a minute and {} a tick", minute, rate, ticks_worth);
        }
    }

    /// Whoever comes every tick gets what the rate says.
    #[test]
    fn the_rate_is_reached(rate in 1..100_000i64, tick in 1..=90u32, late in proptest::collection::vec(0..500i64, 1..100)) {
        let mut pace = Pace::default();
        let rollout = most(rate);
        let last = late.len() as i64 - 1;
        for (n, late) in late.iter().enumerate() {
            let late = if n as i64 == last { 0 } else { *late };
            let now = milli(n as i64 * i64::from(tick) * 1000 + late);
            pace = pace.next(&rollout, &ALWAYS, &planned(u64::MAX), tick, now).pace();
        }
        let due = (last * i64::from(tick) * rate / 60) as u64;
        // What is late for longer than a thing takes is beyond a tick, and not made up for.
        let lost = if 60_000 / rate > 500 { 0 } else { late.len() as u64 * (rate as u64 / 120 + 1) };
        prop_assert!(pace.released + lost >= due, "{} of {due}", pace.released);
    }

    #[test]
    fn nothing_is_taken_back_whatever_is_seen(
        asked in any_rollout(1_000_000), window in proptest::option::of(any_window()),
        from in proptest::option::of(any::<i64>()), end in proptest::option::of(any::<i64>()), released: u64,
        used in proptest::option::of(any::<i64>()), planned: u64, planned_all: bool, executed: u64, succeeded: u64,
        duplicates: u64, passed: u64, tick: u32, now: i64,
    ) {
        let rollout = Rollout::new(&asked).unwrap();
        let [not_before, not_after, at] = [from, end, used].map(|at| at.map(Timestamp::from_millis));
        let schedule = Schedule { not_before, not_after, window };
        let ends = Ends { executed, succeeded, ..Ends::default() };
        let seen = Seen { planned, planned_all, ends, duplicates, passed };
        let step = Pace { released, at }.next(&rollout, &schedule, &seen, tick, Timestamp::from_millis(now));
        prop_assert!(step.released >= released);
        prop_assert!(step.released <= planned.max(released));
        prop_assert!(step.at.is_some() || at.is_none());
    }

    #[test]
    fn all_go_out_when_all_succeed(
        asked in any_rollout(3_000), window in proptest::option::of(any_window()), from in proptest::option::of(0..50_000i64),
        things in 0..400u64, tick in 1..=90u32, answer in 1..100_000i64,
    ) {
        let rollout = Rollout::new(&asked).unwrap();
        let schedule = Schedule { not_before: from.map(at), not_after: None, window };
        run(&rollout, &schedule, things, tick, answer);
    }

    /// An estimate by a rate alone is right but for half a tick, and what may go out at once.
    #[test]
    fn an_estimate_comes_true(
        rate in 1..3_000i64, from in proptest::option::of(0..50_000i64), things in 1..4_000u64, tick in 1..=90u32,
    ) {
        let rollout = most(rate);
        let schedule = Schedule { not_before: from.map(at), ..ALWAYS };
        let estimate = rollout.duration(&schedule, things, milli(0)).seconds.unwrap() as i64 * 1000;
        let (took, looks) = run(&rollout, &schedule, things, tick, 1000 * HOUR);
        let tick = i64::from(tick) * 1000;
        let rounded = looks as i64;
        prop_assert!((estimate - tick - 2000..=estimate + tick + rounded).contains(&took), "{took} instead of {estimate}");
        prop_assert!(looks as i64 <= 3 + took / (tick / 2 - 60_000 / rate).max(60_000 / rate).max(1), "{looks} looks");
    }
}
