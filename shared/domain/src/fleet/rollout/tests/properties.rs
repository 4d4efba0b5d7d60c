//! Properties of every rollout: the rate holds, nothing is taken back, and all things are released in the end.

use proptest::prelude::*;

use super::{ALWAYS, any_rate, any_rollout, at, constant_rate, ended, millis, planned};
use crate::fleet::outcome_counts::OutcomeCounts;
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::progress::RolloutProgress;
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::schedule::config::Schedule;
use crate::fleet::schedule::opening::Opening;
use crate::fleet::schedule::tests::any_window;
use crate::timestamp::Timestamp;

const HOUR: i64 = 3_600_000;

/// Simulates a fleet in which every thing succeeds `answer` milliseconds after its release. Steps are made at their
/// recheck times and when things succeed. Returns the milliseconds until all are released, and the number of steps.
fn run(rollout: &Rollout, schedule: &Schedule, things: u64, answer: i64) -> (i64, usize) {
    let mut progress = RolloutProgress::default();
    let mut releases: Vec<(i64, u64)> = Vec::new();
    let mut now = 0;
    for steps in 1.. {
        assert!(steps < 100_000, "{progress:?}");
        let succeeded = releases.iter().filter(|(at, _)| at + answer <= now).map(|(_, things)| things).sum();
        let snapshot = ended(things, succeeded, succeeded);
        let step = progress.next_step(rollout, schedule, &snapshot, millis(now));
        assert_eq!(step.halt, None);
        if step.released > progress.released {
            assert!(matches!(schedule.opening(millis(now)), Opening::Now { .. }));
            releases.push((now, step.released - progress.released));
        }
        progress = step.progress();
        if progress.released == things {
            return (now, steps);
        }
        let recheck = step.recheck_at.map(|at| at.as_millis() - millis(0).as_millis());
        assert!(recheck.is_none_or(|at| at > now), "{step:?} at {now}");
        let answers = releases.iter().map(|(at, _)| at + answer).filter(|at| *at > now).min();
        now = recheck.into_iter().chain(answers).min().unwrap_or_else(|| panic!("no recheck is due: {step:?}"));
    }
    unreachable!("the rollout never ends")
}

proptest! {
    /// In any minute at most the rate and one second's worth are released, and one second's worth at once.
    #[test]
    fn no_minute_exceeds_the_rate_by_more_than_a_second(
        options in any_rate(3_000), window in proptest::option::of(any_window()),
        calls in proptest::collection::vec((0..40_000i64, 0..100u64, 0..100u64, any::<bool>()), 1..200),
    ) {
        let rollout = Rollout::new(&options).unwrap();
        prop_assume!(!rollout.is_immediate());
        let schedule = Schedule { window, ..ALWAYS };
        let (mut progress, mut now, mut planned, mut succeeded) = (RolloutProgress::default(), 0, 0, 0);
        let mut log: Vec<(i64, u64)> = Vec::new();
        for (wait, more, more_succeeded, is_long) in calls {
            now += if is_long { wait } else { wait % 1000 };
            (planned, succeeded) = (planned + more * 7, succeeded + more_succeeded);
            let rate = u64::from(rollout.rate(progress.released, succeeded).unwrap());
            let snapshot = ended(planned, succeeded, succeeded);
            let step = progress.next_step(&rollout, &schedule, &snapshot, millis(now));
            log.push((now, step.released - progress.released));
            progress = step.progress();
            let minute: u64 = log.iter().filter(|(at, _)| at + 60_000 > now).map(|(_, things)| things).sum();
            let seconds_worth = rate.div_ceil(60);
            prop_assert!(minute <= rate + seconds_worth, "{minute} at {rate} per minute");
            let at_once = log.last().map_or(0, |(_, things)| *things);
            prop_assert!(at_once <= seconds_worth, "{at_once} at {rate} per minute");
        }
    }

    /// What a caller that is late loses is at most the time by which it is.
    #[test]
    fn a_caller_at_every_second_gets_the_full_rate(
        rate in 1..100_000i64, late in proptest::collection::vec(0..99i64, 1..100), is_late: bool,
    ) {
        let mut progress = RolloutProgress::default();
        let rollout = constant_rate(rate);
        let last = late.len() as i64 - 1;
        let mut late_by = 0;
        for (n, late) in late.iter().enumerate() {
            let late = if n as i64 == last || !is_late { 0 } else { *late };
            late_by += late;
            let now = millis(n as i64 * 1000 + late);
            progress = progress.next_step(&rollout, &ALWAYS, &planned(u64::MAX), now).progress();
        }
        // Each take rounds less than a millisecond away.
        let lost = ((late_by + last + 1) * rate) as u64 / 60_000 + 1;
        prop_assert!(progress.released + lost >= (last * rate / 60) as u64, "{}, and {lost} lost", progress.released);
    }

    #[test]
    fn a_step_never_releases_less_than_before(
        options in any_rollout(1_000_000), window in proptest::option::of(any_window()),
        from in proptest::option::of(any::<i64>()), end in proptest::option::of(any::<i64>()), released: u64,
        used in proptest::option::of(any::<i64>()), planned: u64, planning_complete: bool, executed: u64,
        succeeded: u64,
        duplicates: u64, waived_up_to: u64, awaits_counts: bool, now: i64,
    ) {
        let rollout = Rollout::new(&options).unwrap();
        let [not_before, not_after, rate_used_until] = [from, end, used].map(|at| at.map(Timestamp::from_millis));
        let schedule = Schedule { not_before, not_after, window };
        let outcomes = OutcomeCounts { executed, succeeded, ..OutcomeCounts::default() };
        let snapshot =
            RolloutSnapshot { planned, planning_complete, outcomes, duplicates, awaits_counts, waived_up_to };
        let progress = RolloutProgress { released, rate_used_until };
        let step = progress.next_step(&rollout, &schedule, &snapshot, Timestamp::from_millis(now));
        prop_assert!(step.released >= released);
        prop_assert!(step.released == released || !awaits_counts);
        prop_assert!(step.released <= planned.max(released));
        prop_assert!(step.rate_used_until.is_some() || rate_used_until.is_none());
    }

    #[test]
    fn all_things_are_released_if_all_succeed(
        options in any_rollout(3_000), window in proptest::option::of(any_window()),
        from in proptest::option::of(0..50_000i64),
        things in 0..400u64, answer in 1..100_000i64,
    ) {
        let rollout = Rollout::new(&options).unwrap();
        let schedule = Schedule { not_before: from.map(at), not_after: None, window };
        run(&rollout, &schedule, things, answer);
    }

    /// An estimate for a constant rate is exact up to a second.
    #[test]
    fn an_estimate_equals_a_simulation(
        rate in 1..3_000i64, from in proptest::option::of(0..50_000i64), things in 1..4_000u64,
    ) {
        let rollout = constant_rate(rate);
        let schedule = Schedule { not_before: from.map(at), ..ALWAYS };
        let estimate = rollout.duration(&schedule, things, millis(0)).seconds.unwrap() as i64 * 1000;
        let (took, steps) = run(&rollout, &schedule, things, 1000 * HOUR);
        let rounded = steps as i64;
        let range = estimate - 3000..=estimate + 1000 + rounded;
        prop_assert!(range.contains(&took), "{took} instead of {estimate}");
        prop_assert!(steps as i64 <= 4 + took / 500.max(60_000 / rate), "{steps} steps");
    }
}
