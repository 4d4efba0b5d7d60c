//! Tests of rollout options: defaults, refused values, growth of the rate, and lossless storage.

use proptest::prelude::*;

use super::{any_rate, any_rollout, growing, with_rate};
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::options::{CanaryOptions, RolloutOptions, WavesOptions};

#[test]
fn the_example_of_aws_jobs_is_accepted_and_grows_as_documented() {
    let config = r#"{"exponentialRate":{"baseRatePerMinute":50,"incrementFactor":2,
        "rateIncreaseCriteria":{"numberOfNotifiedThings":1000}},"maximumPerMinute":1000}"#;
    let rollout = Rollout::new(&serde_json::from_str(config).unwrap()).unwrap();
    let rates = [0, 999, 1000, 2000, 3000, 4000, 5000, u64::MAX].map(|notified| rollout.rate(notified, 0));
    assert_eq!(rates, [50, 50, 100, 200, 400, 800, 1000, 1000].map(Some));
    assert_eq!(rollout.rate(0, 10_000), Some(50), "the rate grows with notified things only");
    let by_success = Rollout::new(&with_rate(growing(50, 2.0, None, Some(1000)), Some(1000))).unwrap();
    assert_eq!((by_success.rate(10_000, 999), by_success.rate(0, 1000)), (Some(50), Some(100)));
}

#[test]
fn fractions_of_a_small_rate_add_up() {
    let rollout = Rollout::new(&with_rate(growing(1, 1.1, Some(1), None), None)).unwrap();
    assert_eq!(rollout.rate(7, 0), Some(1));
    assert_eq!(rollout.rate(8, 0), Some(2), "1.1 to the eighth is 2.14");
    assert_eq!(rollout.rate(u64::MAX, 0), Some(Rollout::MAX_PER_MINUTE));
}

#[test]
fn empty_options_release_all_at_once() {
    let rollout = Rollout::new(&RolloutOptions::default()).unwrap();
    assert_eq!(rollout, Rollout::default());
    assert!(rollout.is_immediate());
    assert_eq!((rollout.rate(0, 0), rollout.to_stored().as_str()), (None, "{}"));
    for options in [
        RolloutOptions { maximum_per_minute: Some(1), ..RolloutOptions::default() },
        with_rate(growing(1, 2.0, Some(1), None), None),
        RolloutOptions {
            canary: Some(CanaryOptions { things: 1, success_percentage: None }),
            ..RolloutOptions::default()
        },
        RolloutOptions {
            waves: Some(WavesOptions { percentages: vec![50], success_percentage: None }),
            ..RolloutOptions::default()
        },
    ] {
        assert!(!Rollout::new(&options).unwrap().is_immediate(), "{options:?}");
    }
}

#[test]
fn a_last_wave_of_100_percent_is_added() {
    let waves = |percentages| {
        let waves = Some(WavesOptions { percentages, success_percentage: None });
        let rollout = Rollout::new(&RolloutOptions { waves, ..RolloutOptions::default() }).unwrap();
        rollout.waves().map(|waves| (waves.percentages().to_vec(), waves.success_percentage()))
    };
    assert_eq!(waves(vec![5, 20]), Some((vec![5, 20, 100], 100)));
    assert_eq!(waves(vec![100]), Some((vec![100], 100)));
}

#[test]
fn a_refused_option_names_its_field() {
    let rate = |base, factor, notified, succeeded| with_rate(growing(base, factor, notified, succeeded), Some(1000));
    let options_with_maximum =
        |maximum| RolloutOptions { maximum_per_minute: Some(maximum), ..RolloutOptions::default() };
    let canary = |things, success| RolloutOptions {
        canary: Some(CanaryOptions { things, success_percentage: Some(success) }),
        ..RolloutOptions::default()
    };
    let waves = |percentages: &[i64], success| RolloutOptions {
        waves: Some(WavesOptions { percentages: percentages.to_vec(), success_percentage: Some(success) }),
        ..RolloutOptions::default()
    };
    let factor = "exponentialRate.incrementFactor";
    let criteria = "exponentialRate.rateIncreaseCriteria";
    for (options, field) in [
        (options_with_maximum(0), "maximumPerMinute"),
        (options_with_maximum(-1), "maximumPerMinute"),
        (options_with_maximum(1_000_001), "maximumPerMinute"),
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
        let error = Rollout::new(&options).unwrap_err();
        assert_eq!(error.field(), format!("rollout.{field}"), "{error}");
        assert!(error.to_string().starts_with(error.field()), "{error}");
    }
    for good in [
        rate(1000, 1.1, Some(1), None),
        rate(1, 5.0, None, Some(1)),
        options_with_maximum(1),
        options_with_maximum(1_000_000),
        canary(1, 1),
    ] {
        assert!(Rollout::new(&good).is_ok(), "{good:?}");
    }
}

#[test]
fn an_invalid_stored_text_is_an_error() {
    for text in ["", "[]", r#"{"maximumPerMinute":0}"#, r#"{"maximumPerMinute":"1"}"#, r#"{"approval":true}"#] {
        assert_eq!(Rollout::from_stored(text).unwrap_err().what, "rollout", "{text}");
    }
}

proptest! {
    #[test]
    fn the_stored_form_and_the_options_are_lossless(options in any_rollout(1_000_000)) {
        let rollout = Rollout::new(&options).unwrap();
        prop_assert_eq!(Rollout::from_stored(&rollout.to_stored()).unwrap(), rollout.clone());
        prop_assert_eq!(Rollout::new(&rollout.options()).unwrap(), rollout);
    }

    #[test]
    fn a_rate_never_shrinks_and_keeps_its_limit(
        options in any_rate(2_000), things in 0..5_000u64, more in 0..5_000u64,
    ) {
        let rollout = Rollout::new(&options).unwrap();
        let (before, after) = (rollout.rate(things, things), rollout.rate(things + more, things + more));
        prop_assert!(before <= after);
        if let Some(rate) = after {
            prop_assert!(rate >= 1);
            prop_assert!(i64::from(rate) <= options.maximum_per_minute.unwrap_or(1_000_000));
        }
    }
}
