//! One step after the other: rates, gates and schedules by example. What holds for all of them is in `properties`.

mod properties;

use super::*;
use crate::fleet::{AskedCanary, AskedIncrease, AskedRate, AskedRollout, AskedWaves, Window};

const ALWAYS: Schedule = Schedule { not_before: None, not_after: None, window: None };

/// Seconds after midnight, UTC, of some day.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(20_000 * 86_400 + seconds)
}

fn most(maximum: i64) -> Rollout {
    Rollout::new(&AskedRollout { maximum_per_minute: Some(maximum), ..AskedRollout::default() }).unwrap()
}

fn gated(canary: Option<(i64, i64)>, waves: Option<(&[i64], i64)>) -> Rollout {
    let canary = canary.map(|(things, success)| AskedCanary { things, success_percentage: Some(success) });
    let waves = waves.map(|(percentages, success)| AskedWaves {
        percentages: percentages.to_vec(),
        success_percentage: Some(success),
    });
    Rollout::new(&AskedRollout { canary, waves, ..AskedRollout::default() }).unwrap()
}

fn planned(planned: u64) -> Seen {
    Seen { planned, planned_all: true, ..Seen::default() }
}

/// So many of them have ended, and so many of those well.
fn ended(of: u64, executed: u64, succeeded: u64) -> Seen {
    let ends = Ends { executed, succeeded, failed: executed - succeeded, ..Ends::default() };
    Seen { ends, ..planned(of) }
}

fn out(released: u64) -> Pace {
    Pace { released, at: None }
}

/// Released when somebody with ticks of ten seconds comes at these seconds.
fn released(rollout: &Rollout, schedule: &Schedule, of: u64, seconds: &[i64]) -> Vec<u64> {
    let mut pace = Pace::default();
    let step = |second: &i64| {
        pace = pace.next(rollout, schedule, &planned(of), 10, at(*second)).pace();
        pace.released
    };
    seconds.iter().map(step).collect()
}

#[test]
fn without_a_rate_all_that_is_planned_is_out() {
    let step = |released, planned, planned_all| {
        let seen = Seen { planned, planned_all, ..Seen::default() };
        out(released).next(&Rollout::default(), &ALWAYS, &seen, 10, at(0))
    };
    assert_eq!(step(0, 4_000, true), Step { released: 4_000, at: None, look_again: None, stop: None });
    assert_eq!(step(10_000, 1_000_000, true).released, 10_000 + Pace::MOST_AT_ONCE, "the rest with the next step");
    assert_eq!(step(100, 300, false).released, 300);
    assert_eq!(step(0, 0, true).released, 0, "a fleet of nobody");
}

#[test]
fn a_rate_gives_a_ticks_worth_at_once_and_then_as_time_goes() {
    assert_eq!(released(&most(60), &ALWAYS, 100, &[0, 0, 5, 10, 11, 20]), [10, 10, 15, 20, 20, 30]);
    let first = Pace::default().next(&most(60), &ALWAYS, &planned(100), 10, at(0));
    assert_eq!(first, Step { released: 10, at: Some(at(0)), look_again: Some(at(5)), stop: None });
    let early = first.pace().next(&most(60), &ALWAYS, &planned(100), 10, at(4));
    assert_eq!(early, first, "four would not be worth a write");
    let few = first.pace().next(&most(60), &ALWAYS, &planned(14), 10, at(4));
    assert_eq!((few.released, few.look_again), (14, None), "unless they are the last");
    let last = Pace::default().next(&most(60), &ALWAYS, &planned(10), 10, at(0));
    assert_eq!((last.released, last.look_again), (10, None));
}

#[test]
fn nothing_is_used_up_before_anything_is_planned() {
    let nobody = Seen { planned: 0, planned_all: false, ..Seen::default() };
    let step = Pace::default().next(&most(60), &ALWAYS, &nobody, 10, at(0));
    assert_eq!(step, Step { released: 0, at: None, look_again: None, stop: None });
    let few = Seen { planned: 3, ..nobody };
    let step = Pace::default().next(&most(60), &ALWAYS, &few, 10, at(0));
    assert_eq!((step.released, step.at, step.look_again), (3, Some(at(-7)), None));
    assert_eq!(step.pace().next(&most(60), &ALWAYS, &planned(100), 10, at(0)).released, 10, "the rest of the tick");
}

#[test]
fn a_slow_rate_gives_one_at_a_time() {
    assert_eq!(released(&most(1), &ALWAYS, 9, &[0, 10, 50, 59, 60, 70, 119, 120]), [1, 1, 1, 1, 2, 2, 2, 3]);
    let first = Pace::default().next(&most(1), &ALWAYS, &planned(9), 10, at(0));
    assert_eq!(first.look_again, Some(at(60)));
    // 40 seconds a thing, and ticks that are longer than that: none is lost between two of them.
    let rollout = Rollout::new(&AskedRollout { maximum_per_minute: Some(3), ..AskedRollout::default() }).unwrap();
    let mut pace = Pace::default();
    for tick in 0..=30 {
        pace = pace.next(&rollout, &ALWAYS, &planned(1000), 50, at(tick * 50)).pace();
    }
    assert_eq!(pace.released, 2 + 75, "two and a half a tick");
}

#[test]
fn fractions_are_not_lost() {
    let ticks: Vec<i64> = (0..=60).map(|tick| tick * 10).collect();
    assert_eq!(released(&most(7), &ALWAYS, 1000, &ticks).last(), Some(&71), "ten minutes of 7, after the first");
    let seconds: Vec<i64> = (0..=600).collect();
    assert_eq!(released(&most(7), &ALWAYS, 1000, &seconds).last(), Some(&71), "whoever comes more often");
}

#[test]
fn what_was_not_used_for_an_hour_is_not_made_up_for() {
    assert_eq!(released(&most(60), &ALWAYS, 1000, &[0, 3600, 3600, 3610]), [10, 20, 20, 30]);
    assert_eq!(released(&most(1), &ALWAYS, 1000, &[0, 3600, 3600, 3650, 3651, 3710, 3711]), [1, 2, 2, 2, 3, 3, 4]);
}

#[test]
fn a_clock_that_goes_back_takes_nothing_back() {
    assert_eq!(released(&most(60), &ALWAYS, 1000, &[100, 0, 100, 110]), [10, 10, 10, 20]);
}

#[test]
fn the_example_of_jobs_takes_its_time() {
    let criteria = AskedIncrease { number_of_notified_things: Some(1000), number_of_succeeded_things: None };
    let rate = AskedRate { base_rate_per_minute: 50, increment_factor: 2.0, rate_increase_criteria: criteria };
    let asked =
        AskedRollout { maximum_per_minute: Some(1000), exponential_rate: Some(rate), ..AskedRollout::default() };
    let rollout = Rollout::new(&asked).unwrap();
    let mut pace = Pace::default();
    let mut reached = Vec::new();
    for minute in 0..50 {
        pace = pace.next(&rollout, &ALWAYS, &planned(4000), 60, at(minute * 60)).pace();
        if pace.released >= 1000 * (reached.len() as u64 + 1) {
            reached.push(minute + 1);
        }
    }
    assert_eq!(reached, [20, 30, 35, 38], "a thousand at 50, 100, 200 and 400 a minute");
}

#[test]
fn a_canary_goes_first_and_has_to_succeed() {
    let rollout = gated(Some((10, 90)), None);
    let next = |released, seen| out(released).next(&rollout, &ALWAYS, &seen, 10, at(0));
    assert_eq!(next(0, planned(5)).released, 5, "fewer than the canary");
    assert_eq!(next(0, planned(100)).released, 10);
    assert_eq!(next(10, ended(100, 9, 9)), Step { released: 10, at: None, look_again: None, stop: None });
    assert_eq!(next(10, ended(100, 10, 9)).released, 100);
    let stopped = next(10, ended(100, 10, 8));
    let stop = Stop::TooFewSucceeded { gate: Gate::Canary, succeeded: 8, of: 10, success_percentage: 90 };
    assert_eq!((stopped.released, stopped.stop), (10, Some(stop)));
    let resumed = next(10, Seen { passed: 10, ..ended(100, 10, 8) });
    assert_eq!((resumed.released, resumed.stop), (100, None));
    let early = next(10, Seen { passed: 10, ..ended(100, 9, 0) });
    assert_eq!((early.released, early.stop), (10, None), "resuming is no reason not to wait");
    assert_eq!(next(100, ended(100, 100, 0)).stop, None, "nobody is left to be kept");
    assert_eq!(next(10, ended(10, 10, 0)).stop, None, "nobody is left to be kept");
}

#[test]
fn things_planned_twice_are_neither_waited_for_nor_counted() {
    let rollout = gated(Some((10, 100)), None);
    let next = |seen| out(10).next(&rollout, &ALWAYS, &seen, 10, at(0));
    assert_eq!(next(Seen { duplicates: 3, ..ended(100, 7, 7) }).released, 100);
    assert_eq!(next(Seen { duplicates: 2, ..ended(100, 7, 7) }).released, 10);
    let stop = next(Seen { duplicates: 3, ..ended(100, 7, 6) }).stop;
    let expected = Stop::TooFewSucceeded { gate: Gate::Canary, succeeded: 6, of: 7, success_percentage: 100 };
    assert_eq!(stop, Some(expected));
    assert_eq!(next(Seen { duplicates: 10, ..planned(100) }).released, 100);
}

#[test]
fn waves_follow_one_another() {
    let rollout = gated(None, Some((&[5, 50], 80)));
    let next = |released, seen| out(released).next(&rollout, &ALWAYS, &seen, 10, at(0));
    let planning = Seen { planned: 61, ..Seen::default() };
    assert_eq!(next(0, planning).released, 0, "a percentage of what is not known yet");
    assert_eq!(next(0, planned(61)).released, 4, "rounded up");
    assert_eq!(next(4, ended(61, 4, 4)).released, 31);
    assert_eq!(next(31, ended(61, 30, 30)).released, 31);
    assert_eq!(next(31, ended(61, 31, 25)).released, 61);
    let stop = next(31, ended(61, 31, 24)).stop;
    let expected = Stop::TooFewSucceeded { gate: Gate::Wave(50), succeeded: 24, of: 31, success_percentage: 80 };
    assert_eq!(stop, Some(expected));
    let passed = Seen { passed: 4, ..ended(61, 31, 24) };
    assert_eq!(next(31, passed).stop, Some(expected), "what was passed was another gate");
    assert_eq!(next(0, planned(0)), Step { released: 0, at: None, look_again: None, stop: None });
    assert_eq!(next(0, planned(1)).released, 1, "a wave of everybody");
}

#[test]
fn a_canary_goes_before_the_waves() {
    let rollout = gated(Some((10, 100)), Some((&[5, 10, 50], 50)));
    let next = |released, seen| out(released).next(&rollout, &ALWAYS, &seen, 10, at(0));
    let planning = |seen| Seen { planned_all: false, ..seen };
    assert_eq!(next(0, planning(planned(100))).released, 10, "it need not wait for the plan");
    assert_eq!(next(10, planning(ended(100, 10, 10))).released, 10, "the waves do");
    assert!(next(10, planning(ended(100, 10, 9))).stop.is_some(), "it can fail by then");
    assert_eq!(next(10, planning(ended(10, 10, 9))).stop, None, "unless nobody else is known");
    assert_eq!(next(10, ended(100, 10, 10)).released, 50, "waves that end within the canary are part of it");
    assert_eq!(next(10, ended(300, 10, 10)).released, 15, "5 percent of 300");
}

#[test]
fn a_gate_and_a_rate_both_hold() {
    let canary = Some(AskedCanary { things: 15, success_percentage: None });
    let rollout =
        Rollout::new(&AskedRollout { canary, maximum_per_minute: Some(60), ..AskedRollout::default() }).unwrap();
    let first = Pace::default().next(&rollout, &ALWAYS, &planned(100), 10, at(0));
    assert_eq!((first.released, first.look_again), (10, Some(at(5))));
    let second = first.pace().next(&rollout, &ALWAYS, &planned(100), 10, at(10));
    assert_eq!((second.released, second.look_again), (15, None), "time alone opens no gate");
    let third = second.pace().next(&rollout, &ALWAYS, &ended(100, 15, 15), 10, at(3600));
    let kept = Timestamp::from_millis(at(3604).as_millis() + 1);
    assert_eq!((third.released, third.look_again), (25, Some(kept)), "a fraction of a thing was left");
}

#[test]
fn a_closed_window_is_waited_for() {
    let window = Some(Window::parse("01:00", "02:00", None).unwrap());
    let schedule = Schedule { window, ..ALWAYS };
    let next = |pace: Pace, seconds| pace.next(&most(60), &schedule, &planned(10_000), 10, at(seconds));
    let early = next(Pace::default(), 0);
    assert_eq!(early, Step { released: 0, at: None, look_again: Some(at(3600)), stop: None });
    let first = next(early.pace(), 3600);
    assert_eq!((first.released, first.look_again), (10, Some(at(3605))));
    let last = next(first.pace(), 7198);
    assert_eq!((last.released, last.look_again), (20, Some(at(86_400 + 3600))), "the next tick is too late");
    let closed = next(last.pace(), 7200);
    assert_eq!((closed.released, closed.look_again), (20, Some(at(86_400 + 3600))));
    assert_eq!(next(closed.pace(), 86_400 + 3600).released, 30, "a tick's worth, and not a day's");
    let done = Pace { released: 10_000, at: None };
    assert_eq!(next(done, 0).look_again, None);
}

#[test]
fn at_the_end_of_the_schedule_the_rest_stays() {
    let schedule = Schedule { not_after: Some(at(12)), ..ALWAYS };
    let next = |pace: Pace, seen: Seen, seconds| pace.next(&most(60), &schedule, &seen, 10, at(seconds));
    let first = next(Pace::default(), planned(100), 0);
    assert_eq!((first.released, first.look_again), (10, Some(at(5))));
    let second = next(first.pace(), planned(100), 11);
    assert_eq!((second.released, second.look_again), (20, Some(at(12))), "to say that it has ended");
    let last = next(second.pace(), planned(100), 12);
    assert_eq!((last.released, last.stop), (20, Some(Stop::NotAfterPassed { left: 80 })));
    assert_eq!(last.look_again, None);
    assert_eq!(next(out(100), planned(100), 12).stop, None, "all are out");
    let planning = Seen { planned_all: false, ..planned(100) };
    assert_eq!(next(out(100), planning, 12).stop, Some(Stop::NotAfterPassed { left: 0 }), "more may come");
    let canary = Schedule { not_after: Some(at(12)), ..ALWAYS };
    let waits = out(5).next(&gated(Some((5, 100)), None), &canary, &planned(100), 10, at(0));
    assert_eq!((waits.released, waits.look_again), (5, Some(at(12))));
}
