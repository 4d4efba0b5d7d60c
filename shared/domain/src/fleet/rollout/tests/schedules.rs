//! Tests of a rollout with a schedule: closed windows and the end of the schedule.

use super::{ALWAYS, at, constant_rate, gated, planned, progress};
use crate::fleet::rollout::halt::RolloutHalt;
use crate::fleet::rollout::progress::{RolloutProgress, RolloutStep};
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::schedule::config::Schedule;
use crate::fleet::schedule::window::Window;

#[test]
fn a_closed_window_is_awaited() {
    let window = Some(Window::parse("01:00", "02:00", None).unwrap());
    let schedule = Schedule { window, ..ALWAYS };
    let next = |progress: RolloutProgress, seconds| {
        progress.next_step(&constant_rate(60), &schedule, &planned(10_000), 10, at(seconds))
    };
    let early = next(RolloutProgress::default(), 0);
    assert_eq!(early, RolloutStep { released: 0, rate_used_until: None, recheck_at: Some(at(3600)), halt: None });
    let first = next(early.progress(), 3600);
    assert_eq!((first.released, first.recheck_at), (10, Some(at(3605))));
    let last = next(first.progress(), 7198);
    assert_eq!((last.released, last.recheck_at), (20, Some(at(86_400 + 3600))), "the next tick is after the window");
    let closed = next(last.progress(), 7200);
    assert_eq!((closed.released, closed.recheck_at), (20, Some(at(86_400 + 3600))));
    assert_eq!(next(closed.progress(), 86_400 + 3600).released, 30, "one tick's worth, not one day's");
    let done = RolloutProgress { released: 10_000, rate_used_until: None };
    assert_eq!(next(done, 0).recheck_at, None);
}

#[test]
fn after_the_end_of_the_schedule_nothing_is_released() {
    let schedule = Schedule { not_after: Some(at(12)), ..ALWAYS };
    let next = |progress: RolloutProgress, snapshot: RolloutSnapshot, seconds| {
        progress.next_step(&constant_rate(60), &schedule, &snapshot, 10, at(seconds))
    };
    let first = next(RolloutProgress::default(), planned(100), 0);
    assert_eq!((first.released, first.recheck_at), (10, Some(at(5))));
    let second = next(first.progress(), planned(100), 11);
    assert_eq!((second.released, second.recheck_at), (20, Some(at(12))), "to record the end of the schedule");
    let last = next(second.progress(), planned(100), 12);
    assert_eq!((last.released, last.halt), (20, Some(RolloutHalt::NotAfterPassed { left: 80 })));
    assert_eq!(last.recheck_at, None);
    assert_eq!(next(progress(100), planned(100), 12).halt, None, "all are released");
    let planning = RolloutSnapshot { planning_complete: false, ..planned(100) };
    assert_eq!(
        next(progress(100), planning, 12).halt,
        Some(RolloutHalt::NotAfterPassed { left: 0 }),
        "more may be planned"
    );
    let canary = Schedule { not_after: Some(at(12)), ..ALWAYS };
    let waits = progress(5).next_step(&gated(Some((5, 100)), None), &canary, &planned(100), 10, at(0));
    assert_eq!((waits.released, waits.recheck_at), (5, Some(at(12))));
}
