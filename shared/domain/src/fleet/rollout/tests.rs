//! What is refused, what it grows to, what is estimated, and that it is read as it was written.

use proptest::prelude::*;

use super::*;
use crate::Timestamp;
use crate::fleet::{Schedule, Window};

fn growing(base: i64, factor: f64, notified: Option<i64>, succeeded: Option<i64>) -> AskedRate {
    AskedRate {
        base_rate_per_minute: base,
        increment_factor: factor,
        rate_increase_criteria: AskedIncrease {
            number_of_notified_things: notified,
            number_of_succeeded_things: succeeded,
        },
    }
}

fn with_rate(rate: AskedRate, maximum: Option<i64>) -> AskedRollout {
    AskedRollout { maximum_per_minute: maximum, exponential_rate: Some(rate), ..AskedRollout::default() }
}

#[test]
fn the_example_of_jobs_pastes_and_grows_as_it_says() {
    let config = r#"{"exponentialRate":{"baseRatePerMinute":50,"incrementFactor":2,
        "rateIncreaseCriteria":{"numberOfNotifiedThings":1000}},"maximumPerMinute":1000}"#;
    let rollout = Rollout::new(&serde_json::from_str(config).unwrap()).unwrap();
    let rates = [0, 999, 1000, 2000, 3000, 4000, 5000, u64::MAX].map(|notified| rollout.rate(notified, 0));
    assert_eq!(rates, [50, 50, 100, 200, 400, 800, 1000, 1000].map(Some));
    assert_eq!(rollout.rate(0, 10_000), Some(50), "it is not by success");
    let by_success = Rollout::new(&with_rate(growing(50, 2.0, None, Some(1000)), Some(1000))).unwrap();
    assert_eq!((by_success.rate(10_000, 999), by_success.rate(0, 1000)), (Some(50), Some(100)));
}

#[test]
fn a_small_rate_grows_too() {
    let rollout = Rollout::new(&with_rate(growing(1, 1.1, Some(1), None), None)).unwrap();
    assert_eq!(rollout.rate(7, 0), Some(1));
    assert_eq!(rollout.rate(8, 0), Some(2), "1.1 to the eighth is 2.14");
    assert_eq!(rollout.rate(u64::MAX, 0), Some(Rollout::FASTEST));
}

#[test]
fn nothing_asked_is_everything_at_once() {
    let rollout = Rollout::new(&AskedRollout::default()).unwrap();
    assert_eq!(rollout, Rollout::default());
    assert!(rollout.is_immediate());
    assert_eq!((rollout.rate(0, 0), rollout.to_stored().as_str()), (None, "{}"));
    for asked in [
        AskedRollout { maximum_per_minute: Some(1), ..AskedRollout::default() },
        with_rate(growing(1, 2.0, Some(1), None), None),
        AskedRollout { canary: Some(AskedCanary { things: 1, success_percentage: None }), ..AskedRollout::default() },
        AskedRollout {
            waves: Some(AskedWaves { percentages: vec![50], success_percentage: None }),
            ..AskedRollout::default()
        },
    ] {
        assert!(!Rollout::new(&asked).unwrap().is_immediate(), "{asked:?}");
    }
}

#[test]
fn the_last_wave_is_the_rest() {
    let waves = |percentages| {
        let waves = Some(AskedWaves { percentages, success_percentage: None });
        let rollout = Rollout::new(&AskedRollout { waves, ..AskedRollout::default() }).unwrap();
        rollout.waves().map(|waves| (waves.percentages().to_vec(), waves.success_percentage()))
    };
    assert_eq!(waves(vec![5, 20]), Some((vec![5, 20, 100], 100)));
    assert_eq!(waves(vec![100]), Some((vec![100], 100)));
}

#[test]
fn what_makes_no_sense_names_its_field() {
    let rate = |base, factor, notified, succeeded| with_rate(growing(base, factor, notified, succeeded), Some(1000));
    let most = |maximum| AskedRollout { maximum_per_minute: Some(maximum), ..AskedRollout::default() };
    let canary = |things, success| AskedRollout {
        canary: Some(AskedCanary { things, success_percentage: Some(success) }),
        ..AskedRollout::default()
    };
    let waves = |percentages: &[i64], success| AskedRollout {
        waves: Some(AskedWaves { percentages: percentages.to_vec(), success_percentage: Some(success) }),
        ..AskedRollout::default()
    };
    let factor = "exponentialRate.incrementFactor";
    let criteria = "exponentialRate.rateIncreaseCriteria";
    for (asked, field) in [
        (most(0), "maximumPerMinute"),
        (most(-1), "maximumPerMinute"),
        (most(1_000_001), "maximumPerMinute"),
        (rate(0, 2.0, Some(1), None), "exponentialRate.baseRatePerMinute"),
        (rate(i64::MIN, 2.0, Some(1), None), "exponentialRate.baseRatePerMinute"),
        (rate(1001, 2.0, Some(1), None), "exponentialRate.baseRatePerMinute"),
        (rate(50, 1.0, Some(1), None), factor),
        (rate(50, 1.09, Some(1), None), factor),
        (rate(50, 5.1, Some(1), None), factor),
        (rate(50, 1.55, Some(1), None), factor),
        (rate(50, 0.0, Some(1), None), factor),
        (rate(50, f64::NAN, Some(1), None), factor),
        (rate(50, f64::INFINITY, Some(1), None), factor),
        (rate(50, 2.0, None, None), criteria),
        (rate(50, 2.0, Some(1), Some(1)), criteria),
        (rate(50, 2.0, Some(0), None), "exponentialRate.rateIncreaseCriteria.numberOfNotifiedThings"),
        (rate(50, 2.0, None, Some(-1)), "exponentialRate.rateIncreaseCriteria.numberOfSucceededThings"),
        (canary(0, 100), "canary.things"),
        (canary(i64::MAX, 100), "canary.things"),
        (canary(1, 0), "canary.successPercentage"),
        (canary(1, 101), "canary.successPercentage"),
        (waves(&[], 100), "waves.percentages"),
        (waves(&[0], 100), "waves.percentages"),
        (waves(&[101], 100), "waves.percentages"),
        (waves(&[20, 10], 100), "waves.percentages"),
        (waves(&[20, 20], 100), "waves.percentages"),
        (waves(&[20], 0), "waves.successPercentage"),
    ] {
        let error = Rollout::new(&asked).unwrap_err();
        assert_eq!(error.field(), format!("rollout.{field}"), "{error}");
        assert!(error.to_string().starts_with(error.field()), "{error}");
    }
    for good in [rate(1000, 1.1, Some(1), None), rate(1, 5.0, None, Some(1)), most(1), most(1_000_000), canary(1, 1)] {
        assert!(Rollout::new(&good).is_ok(), "{good:?}");
    }
}

#[test]
fn what_was_not_stored_by_us_is_an_error() {
    for text in ["", "[]", r#"{"maximumPerMinute":0}"#, r#"{"maximumPerMinute":"1"}"#, r#"{"approval":true}"#] {
        assert_eq!(Rollout::from_stored(text).unwrap_err().what, "rollout", "{text}");
    }
}

#[test]
fn an_estimate_says_how_long_and_what_it_assumes() {
    let now = Timestamp::from_seconds(20_000 * 86_400);
    let at = |minutes: u32| now.plus_seconds(minutes * 60);
    let most = |maximum| AskedRollout { maximum_per_minute: Some(maximum), ..AskedRollout::default() };
    let of = |asked: &AskedRollout, schedule: &Schedule, things| {
        let estimate = Rollout::new(asked).unwrap().duration(schedule, things, now);
        (estimate.seconds, estimate.assumes)
    };
    let always = Schedule::default();
    assert_eq!(of(&AskedRollout::default(), &always, 1_000_000), (Some(0), vec![]));
    assert_eq!(of(&most(1000), &always, 1_000_000), (Some(60_000), vec![]), "16.7 hours");
    assert_eq!(of(&most(1), &always, 0), (Some(0), vec![]));
    assert_eq!(of(&most(1), &always, 1), (Some(0), vec![]));
    // 1000 at 50, 100, 200, 400 and 800 a minute, and the rest at 1000.
    let example = with_rate(growing(50, 2.0, Some(1000), None), Some(1000));
    assert_eq!(of(&example, &always, 10_001), (Some(20 * 60 + 600 + 300 + 150 + 75 + 300), vec![]));
    let example = with_rate(growing(50, 2.0, None, Some(1000)), Some(1000));
    assert_eq!(of(&example, &always, 1_001), (Some(1200), vec![Assumption::ThingsSucceedAtOnce]));
    let careful = AskedRollout { canary: Some(AskedCanary { things: 5, success_percentage: None }), ..most(60) };
    assert_eq!(of(&careful, &always, 61), (Some(60), vec![Assumption::GatesOpenAtOnce]));
    assert_eq!(Assumption::GatesOpenAtOnce.as_str(), "GATES_OPEN_AT_ONCE");
    // An hour a day, from one o'clock on: 60 things an hour.
    let nightly = Schedule { window: Some(Window::parse("01:00", "02:00", None).unwrap()), ..Schedule::default() };
    assert_eq!(of(&most(1), &nightly, 61), (Some(2 * 3600), vec![]));
    assert_eq!(of(&most(1), &nightly, 62), (Some(86_400 + 3600 + 60), vec![]));
    let ends = Schedule { not_after: Some(at(24 * 60 + 61)), ..nightly };
    assert_eq!(of(&most(1), &ends, 62), (None, vec![]), "at the very end it is too late");
    let ends = Schedule { not_after: Some(at(24 * 60 + 62)), ..nightly };
    assert_eq!(of(&most(1), &ends, 62), (Some(86_400 + 3600 + 60), vec![]));
    let over = Schedule { not_after: Some(now), ..always };
    assert_eq!(of(&most(1), &over, 1), (None, vec![]));
    let huge = with_rate(growing(1, 1.1, Some(1), None), None);
    assert!(of(&huge, &nightly, u64::MAX).0.is_some());
}

prop_compose! {
    pub(in crate::fleet) fn any_rate(fastest: i64)(
        base in 1..=fastest, tenths in 11..=50u8, things in 1..=50i64, notified: bool, maximum in 1..=fastest,
        limited: bool, growing: bool,
    ) -> AskedRollout {
        let rate = super::tests::growing(
            if limited { base.min(maximum) } else { base },
            f64::from(tenths) / 10.0,
            notified.then_some(things),
            (!notified).then_some(things),
        );
        AskedRollout {
            maximum_per_minute: limited.then_some(maximum),
            exponential_rate: growing.then_some(rate),
            ..AskedRollout::default()
        }
    }
}

prop_compose! {
    pub(in crate::fleet) fn any_rollout(fastest: i64)(
        rate in any_rate(fastest),
        canary in proptest::option::of((1..40i64, proptest::option::of(1..=100i64))),
        waves in proptest::option::of((proptest::collection::btree_set(1..=100i64, 1..5), proptest::option::of(1..=100i64))),
    ) -> AskedRollout {
        AskedRollout {
            canary: canary.map(|(things, success_percentage)| AskedCanary { things, success_percentage }),
            waves: waves.map(|(percentages, success_percentage)| {
                AskedWaves { percentages: percentages.into_iter().collect(), success_percentage }
            }),
            ..rate
        }
    }
}

proptest! {
    #[test]
    fn a_rollout_is_read_as_it_is_written(asked in any_rollout(1_000_000)) {
        let rollout = Rollout::new(&asked).unwrap();
        prop_assert_eq!(Rollout::from_stored(&rollout.to_stored()).unwrap(), rollout.clone());
        prop_assert_eq!(Rollout::new(&rollout.asked()).unwrap(), rollout);
    }

    #[test]
    fn a_rate_only_grows_and_keeps_its_limit(asked in any_rate(2_000), seen in 0..5_000u64, more in 0..5_000u64) {
        let rollout = Rollout::new(&asked).unwrap();
        let (before, after) = (rollout.rate(seen, seen), rollout.rate(seen + more, seen + more));
        prop_assert!(before <= after);
        if let Some(rate) = after {
            prop_assert!(rate >= 1);
            prop_assert!(i64::from(rate) <= asked.maximum_per_minute.unwrap_or(1_000_000));
        }
    }
}
