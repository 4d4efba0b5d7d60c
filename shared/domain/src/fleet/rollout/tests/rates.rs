//! Tests of the rate: how many things each step releases as time passes.

use super::{ALWAYS, at, constant_rate, millis, planned, progress};
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::options::{IncreaseOptions, RateOptions, RolloutOptions};
use crate::fleet::rollout::progress::{RolloutProgress, RolloutStep};
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::schedule::config::Schedule;

fn released(rollout: &Rollout, schedule: &Schedule, of: u64, seconds: &[i64]) -> Vec<u64> {
    let mut progress = RolloutProgress::default();
    let step = |second: &i64| {
        progress = progress.next_step(rollout, schedule, &planned(of), at(*second)).progress();
        progress.released
    };
    seconds.iter().map(step).collect()
}

#[test]
fn without_a_rate_all_planned_things_are_released_step_by_step() {
    let step = |released, planned, planning_complete| {
        let snapshot = RolloutSnapshot { planned, planning_complete, ..RolloutSnapshot::default() };
        progress(released).next_step(&Rollout::default(), &ALWAYS, &snapshot, at(0))
    };
    assert_eq!(
        step(0, 4_000, true),
        RolloutStep {
            released: 4_000,
            rate_used_until: None,
            release_at: None,
            recheck_at: None,
            rate: None,
            halt: None
        }
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
fn a_rate_gives_one_second_at_once_and_then_as_time_passes() {
    assert_eq!(released(&constant_rate(600), &ALWAYS, 100, &[0, 0, 1, 2, 2, 3]), [10, 10, 20, 30, 30, 40]);
    let first = RolloutProgress::default().next_step(&constant_rate(600), &ALWAYS, &planned(100), at(0));
    let next = Some(at(1));
    let expected = RolloutStep {
        released: 10,
        rate_used_until: Some(at(0)),
        release_at: next,
        recheck_at: next,
        rate: Some(600),
        halt: None,
    };
    assert_eq!(first, expected);
    let early = first.progress().next_step(&constant_rate(600), &ALWAYS, &planned(100), millis(899));
    assert_eq!(early, first, "eight things are not worth a write");
    let few = first.progress().next_step(&constant_rate(600), &ALWAYS, &planned(14), millis(400));
    assert_eq!((few.released, few.recheck_at), (10, next), "nor are the last ones early");
    let jitter = first.progress().next_step(&constant_rate(600), &ALWAYS, &planned(100), millis(999));
    assert_eq!(
        (jitter.released, jitter.rate_used_until),
        (19, Some(millis(900))),
        "a millisecond early is no second late"
    );
    let last = RolloutProgress::default().next_step(&constant_rate(600), &ALWAYS, &planned(10), at(0));
    assert_eq!((last.released, last.recheck_at), (10, None));
}

#[test]
fn three_hundred_a_minute_are_five_a_second() {
    let seconds: Vec<i64> = (0..=13).collect();
    let sums = released(&constant_rate(300), &ALWAYS, 60, &seconds);
    assert_eq!(sums[..3], [5, 10, 15]);
    assert_eq!((sums[10], sums[11], sums[12]), (55, 60, 60));
}

#[test]
fn an_empty_plan_uses_up_no_rate() {
    let nobody = RolloutSnapshot { planned: 0, planning_complete: false, ..RolloutSnapshot::default() };
    let step = RolloutProgress::default().next_step(&constant_rate(600), &ALWAYS, &nobody, at(0));
    assert_eq!((step.released, step.rate_used_until, step.recheck_at, step.halt), (0, None, None, None));
    let few = RolloutSnapshot { planned: 3, ..nobody };
    let step = RolloutProgress::default().next_step(&constant_rate(600), &ALWAYS, &few, at(0));
    assert_eq!((step.released, step.rate_used_until, step.recheck_at), (3, Some(millis(-700)), None));
    let more = |after| step.progress().next_step(&constant_rate(600), &ALWAYS, &planned(100), millis(after));
    assert_eq!((more(0).released, more(0).recheck_at), (3, Some(millis(300))));
    assert_eq!(more(300).released, 13, "the rest of the second's worth, and what has come since");
}

#[test]
fn a_rate_below_one_per_second_gives_one_at_a_time() {
    assert_eq!(released(&constant_rate(1), &ALWAYS, 9, &[0, 10, 50, 59, 60, 70, 119, 120]), [1, 1, 1, 1, 2, 2, 2, 3]);
    let first = RolloutProgress::default().next_step(&constant_rate(1), &ALWAYS, &planned(9), at(0));
    assert_eq!(first.recheck_at, Some(at(60)));
    // 1.5 a second: the half is not lost.
    let seconds: Vec<i64> = (0..=10).collect();
    assert_eq!(released(&constant_rate(90), &ALWAYS, 1000, &seconds).last(), Some(&16));
}

#[test]
fn fractions_of_the_rate_are_not_lost() {
    let seconds: Vec<i64> = (0..=601).collect();
    assert_eq!(
        released(&constant_rate(7), &ALWAYS, 1000, &seconds).last(),
        Some(&71),
        "ten minutes of 7, after the first one; each is rounded up to a millisecond"
    );
    let many = released(&constant_rate(1001), &ALWAYS, 100_000, &seconds).last().copied();
    assert!(many.is_some_and(|many| (10_010..=10_043).contains(&many)), "{many:?}");
}

#[test]
fn unused_time_beyond_a_second_is_lost() {
    assert_eq!(released(&constant_rate(600), &ALWAYS, 1000, &[0, 3600, 3600, 3601]), [10, 20, 20, 30]);
    assert_eq!(
        released(&constant_rate(1), &ALWAYS, 1000, &[0, 3600, 3600, 3659, 3660, 3719, 3720]),
        [1, 2, 2, 2, 3, 3, 4]
    );
}

#[test]
fn a_clock_that_goes_back_releases_nothing_twice() {
    assert_eq!(released(&constant_rate(600), &ALWAYS, 1000, &[100, 0, 100, 101]), [10, 10, 10, 20]);
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
    for second in 0..50 * 60 {
        progress = progress.next_step(&rollout, &ALWAYS, &planned(4000), at(second)).progress();
        if progress.released >= 1000 * (reached.len() as u64 + 1) {
            reached.push((second + 59) / 60);
        }
    }
    assert_eq!(reached, [20, 30, 35, 38], "a thousand at 50, 100, 200 and 400 per minute");
}
