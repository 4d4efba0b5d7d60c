//! Tests of the estimated duration of a rollout.

use super::{growing, with_rate};
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::duration::Assumption;
use crate::fleet::rollout::options::{CanaryOptions, RolloutOptions};
use crate::fleet::schedule::config::Schedule;
use crate::fleet::schedule::window::Window;
use crate::timestamp::Timestamp;

#[test]
fn an_estimate_has_the_duration_and_its_assumptions() {
    let now = Timestamp::from_seconds(20_000 * 86_400);
    let at = |minutes: u32| now.plus_seconds(minutes * 60);
    let options_with_maximum =
        |maximum| RolloutOptions { maximum_per_minute: Some(maximum), ..RolloutOptions::default() };
    let of = |options: &RolloutOptions, schedule: &Schedule, things| {
        let estimate = Rollout::new(options).unwrap().duration(schedule, things, now);
        (estimate.seconds, estimate.assumes)
    };
    let always = Schedule::default();
    assert_eq!(of(&RolloutOptions::default(), &always, 1_000_000), (Some(0), vec![]));
    assert_eq!(of(&options_with_maximum(1000), &always, 1_000_000), (Some(60_000), vec![]), "16.7 hours");
    assert_eq!(of(&options_with_maximum(1), &always, 0), (Some(0), vec![]));
    assert_eq!(of(&options_with_maximum(1), &always, 1), (Some(0), vec![]));
    // 1000 at 50, 100, 200, 400 and 800 a minute, and the rest at 1000.
    let example = with_rate(growing(50, 2.0, Some(1000), None), Some(1000));
    assert_eq!(of(&example, &always, 10_001), (Some(20 * 60 + 600 + 300 + 150 + 75 + 300), vec![]));
    let example = with_rate(growing(50, 2.0, None, Some(1000)), Some(1000));
    assert_eq!(of(&example, &always, 1_001), (Some(1200), vec![Assumption::ThingsSucceedAtOnce]));
    let careful = RolloutOptions {
        canary: Some(CanaryOptions { things: 5, success_percentage: None }),
        ..options_with_maximum(60)
    };
    assert_eq!(of(&careful, &always, 61), (Some(60), vec![Assumption::GatesOpenAtOnce]));
    assert_eq!(Assumption::GatesOpenAtOnce.as_str(), "GATES_OPEN_AT_ONCE");
    // An hour a day, from one o'clock on: 60 things an hour.
    let nightly = Schedule { window: Some(Window::parse("01:00", "02:00", None).unwrap()), ..Schedule::default() };
    assert_eq!(of(&options_with_maximum(1), &nightly, 61), (Some(2 * 3600), vec![]));
    assert_eq!(of(&options_with_maximum(1), &nightly, 62), (Some(86_400 + 3600 + 60), vec![]));
    let outcomes = Schedule { not_after: Some(at(24 * 60 + 61)), ..nightly };
    assert_eq!(of(&options_with_maximum(1), &outcomes, 62), (None, vec![]), "the instant of not_after is excluded");
    let outcomes = Schedule { not_after: Some(at(24 * 60 + 62)), ..nightly };
    assert_eq!(of(&options_with_maximum(1), &outcomes, 62), (Some(86_400 + 3600 + 60), vec![]));
    let over = Schedule { not_after: Some(now), ..always };
    assert_eq!(of(&options_with_maximum(1), &over, 1), (None, vec![]));
    let huge = with_rate(growing(1, 1.1, Some(1), None), None);
    assert!(of(&huge, &nightly, u64::MAX).0.is_some());
}
