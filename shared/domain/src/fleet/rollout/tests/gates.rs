//! Tests of canary and waves: what is released before and after each gate, and when the rollout stops.

use super::{ALWAYS, at, ended, gated, millis, planned, progress};
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::gate::Gate;
use crate::fleet::rollout::halt::RolloutHalt;
use crate::fleet::rollout::options::{CanaryOptions, RolloutOptions};
use crate::fleet::rollout::progress::{RolloutProgress, RolloutStep};
use crate::fleet::rollout::snapshot::RolloutSnapshot;

/// A step without a rate that releases nothing after the first `released` things.
fn nothing_more(released: u64) -> RolloutStep {
    RolloutStep { released, rate_used_until: None, release_at: None, recheck_at: None, rate: None, halt: None }
}

#[test]
fn the_canary_is_released_first_and_must_succeed() {
    let rollout = gated(Some((10, 90)), None);
    let next = |released, snapshot| progress(released).next_step(&rollout, &ALWAYS, &snapshot, at(0));
    assert_eq!(next(0, planned(5)).released, 5, "fewer than the canary");
    assert_eq!(next(0, planned(100)).released, 10);
    assert_eq!(next(10, ended(100, 9, 9)), nothing_more(10));
    assert_eq!(next(10, ended(100, 10, 9)).released, 100);
    let stopped = next(10, ended(100, 10, 8));
    let stop = RolloutHalt::TooFewSucceeded { gate: Gate::Canary, succeeded: 8, of: 10, success_percentage: 90 };
    assert_eq!((stopped.released, stopped.halt), (10, Some(stop)));
    let resumed = next(10, RolloutSnapshot { waived_up_to: 10, ..ended(100, 10, 8) });
    assert_eq!((resumed.released, resumed.halt), (100, None));
    let early = next(10, RolloutSnapshot { waived_up_to: 10, ..ended(100, 9, 0) });
    assert_eq!((early.released, early.halt), (10, None), "a resume does not open the gate early");
    assert_eq!(next(100, ended(100, 100, 0)).halt, None, "no thing is left behind the gate");
    assert_eq!(next(10, ended(10, 10, 0)).halt, None, "no thing is left behind the gate");
}

#[test]
fn duplicates_are_neither_awaited_nor_counted() {
    let rollout = gated(Some((10, 100)), None);
    let next = |snapshot| progress(10).next_step(&rollout, &ALWAYS, &snapshot, at(0));
    assert_eq!(next(RolloutSnapshot { duplicates: 3, ..ended(100, 7, 7) }).released, 100);
    assert_eq!(next(RolloutSnapshot { duplicates: 2, ..ended(100, 7, 7) }).released, 10);
    let stop = next(RolloutSnapshot { duplicates: 3, ..ended(100, 7, 6) }).halt;
    let expected = RolloutHalt::TooFewSucceeded { gate: Gate::Canary, succeeded: 6, of: 7, success_percentage: 100 };
    assert_eq!(stop, Some(expected));
    assert_eq!(next(RolloutSnapshot { duplicates: 10, ..planned(100) }).released, 100);
}

#[test]
fn a_wave_follows_when_the_last_one_succeeded() {
    let rollout = gated(None, Some((&[5, 50], 80)));
    let next = |released, snapshot| progress(released).next_step(&rollout, &ALWAYS, &snapshot, at(0));
    let planning = RolloutSnapshot { planned: 61, ..RolloutSnapshot::default() };
    assert_eq!(next(0, planning).released, 0, "the size of the fleet is not known yet");
    assert_eq!(next(0, planned(61)).released, 4, "rounded up");
    assert_eq!(next(4, ended(61, 4, 4)).released, 31);
    assert_eq!(next(31, ended(61, 30, 30)).released, 31);
    assert_eq!(next(31, ended(61, 31, 25)).released, 61);
    let stop = next(31, ended(61, 31, 24)).halt;
    let expected = RolloutHalt::TooFewSucceeded { gate: Gate::Wave(50), succeeded: 24, of: 31, success_percentage: 80 };
    assert_eq!(stop, Some(expected));
    let passed = RolloutSnapshot { waived_up_to: 4, ..ended(61, 31, 24) };
    assert_eq!(next(31, passed).halt, Some(expected), "an earlier gate was waived");
    assert_eq!(next(0, planned(0)), nothing_more(0));
    assert_eq!(next(0, planned(1)).released, 1, "a wave of the whole fleet");
}

#[test]
fn the_canary_comes_before_the_waves() {
    let rollout = gated(Some((10, 100)), Some((&[5, 10, 50], 50)));
    let next = |released, snapshot| progress(released).next_step(&rollout, &ALWAYS, &snapshot, at(0));
    let planning = |snapshot| RolloutSnapshot { planning_complete: false, ..snapshot };
    assert_eq!(next(0, planning(planned(100))).released, 10, "the canary does not wait for the plan");
    assert_eq!(next(10, planning(ended(100, 10, 10))).released, 10, "the waves wait for the plan");
    assert!(next(10, planning(ended(100, 10, 9))).halt.is_some(), "the canary can fail before that");
    assert_eq!(next(10, planning(ended(10, 10, 9))).halt, None, "unless no other thing is planned");
    assert_eq!(next(10, ended(100, 10, 10)).released, 50, "waves that end within the canary are part of it");
    assert_eq!(next(10, ended(300, 10, 10)).released, 15, "5 percent of 300");
}

#[test]
fn gate_and_rate_hold_together() {
    let canary = Some(CanaryOptions { things: 15, success_percentage: None });
    let rollout =
        Rollout::new(&RolloutOptions { canary, maximum_per_minute: Some(600), ..RolloutOptions::default() }).unwrap();
    let first = RolloutProgress::default().next_step(&rollout, &ALWAYS, &planned(100), at(0));
    assert_eq!((first.released, first.recheck_at), (10, Some(at(1))));
    let second = first.progress().next_step(&rollout, &ALWAYS, &planned(100), at(1));
    assert_eq!((second.released, second.recheck_at), (15, None), "time alone opens no gate");
    let third = second.progress().next_step(&rollout, &ALWAYS, &ended(100, 15, 15), at(3600));
    let kept = millis(3_600_000 + 1000 - 99);
    assert_eq!((third.released, third.recheck_at), (25, Some(kept)), "a fraction of a thing was left over");
}
