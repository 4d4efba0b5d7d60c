//! Tests of a rollout with a schedule: closed windows and the end of the schedule.

use super::{ALWAYS, at, constant_rate, gated, millis, planned, progress};
use crate::fleet::rollout::halt::RolloutHalt;
use crate::fleet::rollout::progress::RolloutProgress;
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::schedule::config::Schedule;
use crate::fleet::schedule::window::Window;

#[test]
fn a_closed_window_is_awaited() {
    let window = Some(Window::parse("01:00", "02:00", None).unwrap());
    let schedule = Schedule { window, ..ALWAYS };
    let next = |progress: RolloutProgress, seconds| {
        progress.next_step(&constant_rate(600), &schedule, &planned(10_000), at(seconds))
    };
    let early = next(RolloutProgress::default(), 0);
    let opens = Some(at(3600));
    assert_eq!((early.released, early.release_at, early.recheck_at, early.rate), (0, opens, opens, None));
    let first = next(early.progress(), 3600);
    assert_eq!((first.released, first.recheck_at), (10, Some(at(3601))));
    let last = next(first.progress(), 7199);
    assert_eq!((last.released, last.recheck_at), (20, Some(millis(7_199_901))), "a fraction of a thing was left over");
    let closed = next(last.progress(), 7200);
    assert_eq!((closed.released, closed.recheck_at), (20, Some(at(86_400 + 3600))));
    assert_eq!(next(closed.progress(), 86_400 + 3600).released, 30, "one second's worth, not one day's");
    let done = RolloutProgress { released: 10_000, rate_used_until: None };
    assert_eq!(next(done, 0).recheck_at, None);
}

#[test]
fn after_the_end_of_the_schedule_nothing_is_released() {
    let schedule = Schedule { not_after: Some(millis(11_500)), ..ALWAYS };
    let next = |progress: RolloutProgress, snapshot: RolloutSnapshot, seconds| {
        progress.next_step(&constant_rate(600), &schedule, &snapshot, at(seconds))
    };
    let first = next(RolloutProgress::default(), planned(100), 0);
    assert_eq!((first.released, first.release_at, first.recheck_at), (10, Some(at(1)), Some(at(1))));
    let second = next(first.progress(), planned(100), 11);
    assert_eq!(
        (second.released, second.release_at, second.recheck_at),
        (20, None, Some(millis(11_500))),
        "to record the end of the schedule"
    );
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
    let waits = progress(5).next_step(&gated(Some((5, 100)), None), &canary, &planned(100), at(0));
    assert_eq!((waits.released, waits.recheck_at), (5, Some(at(12))));
}
