//! Tests of the wakes of a rollout's next steps: there are always some ahead, and not many more than steps.

use proptest::prelude::*;

use super::{ALWAYS, at, constant_rate, millis, planned};
use crate::fleet::rollout::progress::{RolloutProgress, RolloutStep};
use crate::timestamp::Timestamp;

fn first_step(rate: i64, things: u64) -> RolloutStep {
    RolloutProgress::default().next_step(&constant_rate(rate), &ALWAYS, &planned(things), at(0))
}

fn seconds(wakes: &[Timestamp]) -> Vec<i64> {
    wakes.iter().map(|wake| (wake.as_millis() - at(0).as_millis()) / 1000).collect()
}

#[test]
fn wakes_are_sent_for_ten_seconds_and_again_while_half_of_them_are_ahead() {
    let step = first_step(300, 600);
    let all: Vec<i64> = (1..=10).collect();
    assert_eq!(seconds(&step.wakes(595, None, at(0))), all);
    assert_eq!(seconds(&step.wakes(595, Some(at(6)), at(0))), Vec::<i64>::new(), "enough are ahead");
    assert_eq!(seconds(&step.wakes(595, Some(at(4)), at(0))), [5, 6, 7, 8, 9, 10]);
    assert_eq!(seconds(&step.wakes(595, Some(at(-3)), at(0))), all, "all are over");
}

#[test]
fn no_more_wakes_are_sent_than_steps_are_left_and_one() {
    assert_eq!(seconds(&first_step(300, 12).wakes(7, None, at(0))), [1, 2, 3]);
    assert_eq!(seconds(&first_step(300, 5).wakes(0, None, at(0))), Vec::<i64>::new(), "nothing is left");
}

#[test]
fn slow_rate_has_one_wake_at_a_time() {
    let step = first_step(1, 9);
    assert_eq!(seconds(&step.wakes(8, None, at(0))), [60]);
    assert_eq!(seconds(&step.wakes(8, Some(at(60)), at(0))), Vec::<i64>::new());
    assert_eq!(seconds(&first_step(12, 9).wakes(8, None, at(0))), [5, 10]);
}

proptest! {
    /// Messages arrive up to a second late, some are lost, but never five seconds of them.
    #[test]
    fn wakes_bring_a_rollout_to_its_end(
        rate in 1..2_000i64, things in 1..300u64, late in prop::collection::vec(0..999i64, 16),
        lost in prop::collection::vec(prop::bool::weighted(0.2), 16),
    ) {
        let rollout = constant_rate(rate);
        let (mut progress, mut sent, mut queue, mut messages) = (RolloutProgress::default(), None, vec![at(0)], 0);
        let mut last = at(0);
        while let Some(n) = (0..queue.len()).min_by_key(|n| queue[*n]) {
            let now = queue.remove(n);
            let step = progress.next_step(&rollout, &ALWAYS, &planned(things), now);
            if step.released > progress.released {
                last = now;
            }
            progress = step.progress();
            let wakes = step.wakes(things - progress.released, sent, now);
            sent = wakes.last().copied().or(sent);
            for (n, wake) in wakes.iter().enumerate() {
                messages += 1;
                // The last one of each request arrives: the watchdog does what is left if all are lost.
                let (late, is_lost) = (late[messages % 16], lost[messages % 16] && n + 1 < wakes.len());
                queue.extend((!is_lost).then(|| Timestamp::from_millis(wake.as_millis() + late)));
            }
        }
        prop_assert_eq!(progress.released, things);
        let took = last.as_millis() - at(0).as_millis();
        let steps = took / 1000.max(60_000 / rate);
        prop_assert!(messages as i64 <= steps + 25, "{} messages in {} ms", messages, took);
    }
}

#[test]
fn wakes_begin_when_a_thing_may_be_released() {
    let step = first_step(90, 9);
    let wakes = step.wakes(8, None, at(0));
    assert_eq!((step.released, wakes[0], wakes[1]), (1, millis(667), millis(1667)));
}
