//! Tests of the rate: how many things each step releases as time passes.

use super::{ALWAYS, at, constant_rate, planned, progress};
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::options::{IncreaseOptions, RateOptions, RolloutOptions};
use crate::fleet::rollout::progress::{RolloutProgress, RolloutStep};
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::schedule::config::Schedule;

fn released(rollout: &Rollout, schedule: &Schedule, of: u64, seconds: &[i64]) -> Vec<u64> {
    let mut progress = RolloutProgress::default();
    let step = |second: &i64| {
        progress = progress.next_step(rollout, schedule, &planned(of), 10, at(*second)).progress();
        progress.released
    };
    seconds.iter().map(step).collect()
}

#[test]
fn without_a_rate_all_planned_things_are_released_step_by_step() {
    let step = |released, planned, planning_complete| {
        let snapshot = RolloutSnapshot { planned, planning_complete, ..RolloutSnapshot::default() };
        progress(released).next_step(&Rollout::default(), &ALWAYS, &snapshot, 10, at(0))
    };
    assert_eq!(
        step(0, 4_000, true),
        RolloutStep { released: 4_000, rate_used_until: None, recheck_at: None, halt: None }
    );
    assert_eq!(
        step(10_000, 1_000_000, true).released,
        10_000 + RolloutProgress::MAX_STEP_THINGS,
        "the rest with the next steps"
    );
    assert_eq!(step(100, 300, false).released, 300);
    assert_eq!(step(0, 0, true).released, 0, "an empty fleet");
}

#[test]
fn a_rate_gives_one_tick_at_once_and_then_as_time_passes() {
    assert_eq!(released(&constant_rate(60), &ALWAYS, 100, &[0, 0, 5, 10, 11, 20]), [10, 10, 15, 20, 20, 30]);
    let first = RolloutProgress::default().next_step(&constant_rate(60), &ALWAYS, &planned(100), 10, at(0));
    assert_eq!(first, RolloutStep { released: 10, rate_used_until: Some(at(0)), recheck_at: Some(at(5)), halt: None });
    let early = first.progress().next_step(&constant_rate(60), &ALWAYS, &planned(100), 10, at(4));
    assert_eq!(early, first, "four things are not worth a write");
    let few = first.progress().next_step(&constant_rate(60), &ALWAYS, &planned(14), 10, at(4));
    assert_eq!((few.released, few.recheck_at), (14, None), "unless they are the last ones");
    let last = RolloutProgress::default().next_step(&constant_rate(60), &ALWAYS, &planned(10), 10, at(0));
    assert_eq!((last.released, last.recheck_at), (10, None));
}

#[test]
fn an_empty_plan_uses_up_no_rate() {
    let nobody = RolloutSnapshot { planned: 0, planning_complete: false, ..RolloutSnapshot::default() };
    let step = RolloutProgress::default().next_step(&constant_rate(60), &ALWAYS, &nobody, 10, at(0));
    assert_eq!(step, RolloutStep { released: 0, rate_used_until: None, recheck_at: None, halt: None });
    let few = RolloutSnapshot { planned: 3, ..nobody };
    let step = RolloutProgress::default().next_step(&constant_rate(60), &ALWAYS, &few, 10, at(0));
    assert_eq!((step.released, step.rate_used_until, step.recheck_at), (3, Some(at(-7)), None));
    assert_eq!(
        step.progress().next_step(&constant_rate(60), &ALWAYS, &planned(100), 10, at(0)).released,
        10,
        "the rest of the tick's worth"
    );
}

#[test]
fn a_rate_below_one_per_tick_gives_one_at_a_time() {
    assert_eq!(released(&constant_rate(1), &ALWAYS, 9, &[0, 10, 50, 59, 60, 70, 119, 120]), [1, 1, 1, 1, 2, 2, 2, 3]);
    let first = RolloutProgress::default().next_step(&constant_rate(1), &ALWAYS, &planned(9), 10, at(0));
    assert_eq!(first.recheck_at, Some(at(60)));
    // 40 seconds a thing, and ticks that are longer than that: none is lost between two of them.
    let rollout = Rollout::new(&RolloutOptions { maximum_per_minute: Some(3), ..RolloutOptions::default() }).unwrap();
    let mut progress = RolloutProgress::default();
    for tick in 0..=30 {
        progress = progress.next_step(&rollout, &ALWAYS, &planned(1000), 50, at(tick * 50)).progress();
    }
    assert_eq!(progress.released, 2 + 75, "two and a half per tick");
}

#[test]
fn fractions_of_the_rate_are_not_lost() {
    let ticks: Vec<i64> = (0..=60).map(|tick| tick * 10).collect();
    assert_eq!(
        released(&constant_rate(7), &ALWAYS, 1000, &ticks).last(),
        Some(&71),
        "ten minutes of 7, after the first one"
    );
    let seconds: Vec<i64> = (0..=600).collect();
    assert_eq!(released(&constant_rate(7), &ALWAYS, 1000, &seconds).last(), Some(&71), "more frequent steps");
}

#[test]
fn unused_time_beyond_a_tick_is_lost() {
    assert_eq!(released(&constant_rate(60), &ALWAYS, 1000, &[0, 3600, 3600, 3610]), [10, 20, 20, 30]);
    assert_eq!(
        released(&constant_rate(1), &ALWAYS, 1000, &[0, 3600, 3600, 3650, 3651, 3710, 3711]),
        [1, 2, 2, 2, 3, 3, 4]
    );
}

#[test]
fn a_clock_that_goes_back_releases_nothing_twice() {
    assert_eq!(released(&constant_rate(60), &ALWAYS, 1000, &[100, 0, 100, 110]), [10, 10, 10, 20]);
}

#[test]
fn the_example_of_aws_jobs_takes_the_documented_time() {
    let criteria = IncreaseOptions { number_of_notified_things: Some(1000), number_of_succeeded_things: None };
    let rate = RateOptions { base_rate_per_minute: 50, increment_factor: 2.0, rate_increase_criteria: criteria };
    let options =
        RolloutOptions { maximum_per_minute: Some(1000), exponential_rate: Some(rate), ..RolloutOptions::default() };
    let rollout = Rollout::new(&options).unwrap();
    let mut progress = RolloutProgress::default();
    let mut reached = Vec::new();
    for minute in 0..50 {
        progress = progress.next_step(&rollout, &ALWAYS, &planned(4000), 60, at(minute * 60)).progress();
        if progress.released >= 1000 * (reached.len() as u64 + 1) {
            reached.push(minute + 1);
        }
    }
    assert_eq!(reached, [20, 30, 35, 38], "a thousand at 50, 100, 200 and 400 per minute");
}
