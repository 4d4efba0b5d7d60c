//! At the borders of the thresholds, what is refused, and that it is read as it was written.

use proptest::prelude::*;

use super::*;

fn one(failure: &str, action: &str, threshold: f64, minimum: i64) -> AskedCriterion {
    AskedCriterion {
        failure_type: failure.to_owned(),
        action: action.to_owned(),
        threshold_percentage: threshold,
        min_number_of_executed_things: minimum,
    }
}

fn trips(failure: &str, threshold: f64, minimum: i64, ends: Ends) -> bool {
    Abort::new(&[one(failure, "CANCEL", threshold, minimum)]).unwrap().tripped(&ends).is_some()
}

#[test]
fn a_configuration_of_jobs_pastes() {
    let criteria = r#"[{"failureType":"FAILED","action":"CANCEL","thresholdPercentage":20,"minNumberOfExecutedThings":100},
        {"failureType":"TIMED_OUT","action":"CANCEL","thresholdPercentage":50.25,"minNumberOfExecutedThings":200}]"#;
    let asked: Vec<AskedCriterion> = serde_json::from_str(criteria).unwrap();
    let abort = Abort::new(&asked).unwrap();
    let [failed, late] = abort.criteria() else { panic!("two") };
    assert_eq!((failed.failure(), failed.threshold_hundredths()), (AbortFailure::Failed, 2_000));
    assert_eq!((late.failure(), late.threshold_hundredths()), (AbortFailure::TimedOut, 5_025));
    assert_eq!((late.action(), late.min_number_of_executed_things()), (AbortAction::Cancel, 200));
    assert_eq!(abort.asked(), asked);
}

#[test]
fn it_trips_at_the_threshold_and_not_below() {
    let ends = |executed, failed| Ends { executed, failed, ..Ends::default() };
    assert!(trips("FAILED", 20.0, 10, ends(10, 2)));
    assert!(!trips("FAILED", 20.0, 10, ends(10, 1)));
    assert!(!trips("FAILED", 20.0, 10, ends(9, 9)), "too few to conclude from");
    assert!(trips("FAILED", 33.33, 1, ends(3, 1)), "a third is more than 33.33 percent");
    assert!(!trips("FAILED", 33.34, 1, ends(3, 1)));
    assert!(trips("FAILED", 0.01, 1, ends(10_000, 1)));
    assert!(!trips("FAILED", 0.01, 1, ends(10_001, 1)));
    assert!(trips("FAILED", 100.0, 1, ends(1, 1)));
    assert!(!trips("FAILED", 0.01, 1, Ends::default()), "nobody has failed at nothing");
    let all = Ends { failed: u64::MAX, rejected: u64::MAX, timed_out: u64::MAX, executed: u64::MAX, ..Ends::default() };
    assert!(trips("ALL", 100.0, 1, all));
    assert!(!trips("FAILED", 100.0, 1, ends(u64::MAX, u64::MAX - 1)), "not rounded");
}

#[test]
fn each_kind_counts_its_own() {
    let ends =
        Ends { executed: 100, succeeded: 40, failed: 10, rejected: 20, timed_out: 25, canceled: 5, no_response: 15 };
    for (failure, exactly) in
        [("FAILED", 10.0), ("REJECTED", 20.0), ("TIMED_OUT", 25.0), ("NO_RESPONSE", 15.0), ("ALL", 55.0)]
    {
        assert!(trips(failure, exactly, 100, ends), "{failure}");
        assert!(!trips(failure, exactly + 0.01, 100, ends), "{failure}");
        assert!(!trips(failure, exactly, 101, ends), "{failure}");
    }
}

#[test]
fn the_first_that_cancels_wins() {
    let asked = [
        one("FAILED", "PAUSE", 10.0, 1),
        one("REJECTED", "CANCEL", 90.0, 1),
        one("ALL", "CANCEL", 50.0, 1),
        one("FAILED", "CANCEL", 50.0, 1),
    ];
    let abort = Abort::new(&asked).unwrap();
    let met = |executed, failed| abort.tripped(&Ends { executed, failed, ..Ends::default() });
    assert_eq!(met(10, 0), None);
    assert_eq!(met(10, 1), abort.criteria().first());
    assert_eq!(met(10, 5), abort.criteria().get(2), "canceling is more, whatever was named first");
    assert_eq!(Abort::default().tripped(&Ends { executed: 1, failed: 1, ..Ends::default() }), None);
}

#[test]
fn what_paused_it_does_not_pause_it_again() {
    let abort = Abort::new(&[one("FAILED", "PAUSE", 50.0, 10)]).unwrap();
    let resumed = Ends { executed: 10, failed: 10, ..Ends::default() };
    let later = |executed, failed| abort.tripped_since(&resumed, &Ends { executed, failed, ..Ends::default() });
    assert_eq!(later(10, 10), None);
    assert_eq!(later(20, 14), None);
    assert_eq!(later(19, 19), None, "the minimum counts anew");
    assert!(later(20, 15).is_some());
    assert_eq!(later(9, 9), None, "counts that lag behind");
}

#[test]
fn what_makes_no_sense_names_its_field() {
    let good = one("FAILED", "CANCEL", 20.0, 100);
    for (wrong, field) in [
        (one("SUCCEEDED", "CANCEL", 20.0, 100), "failureType"),
        (one("failed", "CANCEL", 20.0, 100), "failureType"),
        (one("FAILED", "STOP", 20.0, 100), "action"),
        (one("FAILED", "CANCEL", 0.0, 100), "thresholdPercentage"),
        (one("FAILED", "CANCEL", -1.0, 100), "thresholdPercentage"),
        (one("FAILED", "CANCEL", 100.01, 100), "thresholdPercentage"),
        (one("FAILED", "CANCEL", 10.001, 100), "thresholdPercentage"),
        (one("FAILED", "CANCEL", 0.001, 100), "thresholdPercentage"),
        (one("FAILED", "CANCEL", f64::NAN, 100), "thresholdPercentage"),
        (one("FAILED", "CANCEL", f64::INFINITY, 100), "thresholdPercentage"),
        (one("FAILED", "CANCEL", 20.0, 0), "minNumberOfExecutedThings"),
        (one("FAILED", "CANCEL", 20.0, -1), "minNumberOfExecutedThings"),
        (one("FAILED", "CANCEL", 20.0, i64::MAX), "minNumberOfExecutedThings"),
    ] {
        let error = Abort::new(&[good.clone(), wrong]).unwrap_err();
        assert_eq!(error.field(), format!("abortConfig.criteriaList[1].{field}"), "{error}");
        assert!(error.to_string().starts_with(&error.field()), "{error}");
    }
    assert_eq!(Abort::new(&[]).unwrap_err().field(), "abortConfig.criteriaList");
    assert_eq!(Abort::new(&vec![good; 11]).unwrap_err(), AbortError::HowMany(11));
}

#[test]
fn what_was_not_stored_by_us_is_an_error() {
    for text in [
        "",
        "{}",
        "[{}]",
        r#"[{"failureType":"FAILED","action":"CANCEL","thresholdPercentage":0,"minNumberOfExecutedThings":1}]"#,
    ] {
        assert_eq!(Abort::from_stored(text).unwrap_err().what, "abort", "{text}");
    }
    assert_eq!(Abort::from_stored(&Abort::default().to_stored()).unwrap(), Abort::default());
}

proptest! {
    #[test]
    fn criteria_are_read_as_they_are_written(
        asked in proptest::collection::vec((0..5usize, any::<bool>(), 1..=10_000u16, 1..=u32::MAX), 1..=10),
    ) {
        let asked: Vec<_> = asked.iter().map(|(failure, cancel, hundredths, minimum)| {
            let failure = ["FAILED", "REJECTED", "TIMED_OUT", "NO_RESPONSE", "ALL"][*failure];
            one(failure, if *cancel { "CANCEL" } else { "PAUSE" }, f64::from(*hundredths) / 100.0, i64::from(*minimum))
        }).collect();
        let abort = Abort::new(&asked).unwrap();
        prop_assert_eq!(abort.asked(), asked);
        prop_assert_eq!(Abort::from_stored(&abort.to_stored()).unwrap(), abort);
    }

    #[test]
    fn any_numbers_are_compared(failed: u64, rejected: u64, timed_out: u64, executed: u64, hundredths in 1..=10_000u16) {
        let ends = Ends { executed, failed, rejected, timed_out, ..Ends::default() };
        let failing = u128::from(failed) + u128::from(rejected) + u128::from(timed_out);
        let expected = executed > 0 && failing * 10_000 >= u128::from(executed) * u128::from(hundredths);
        prop_assert_eq!(trips("ALL", f64::from(hundredths) / 100.0, 1, ends), expected);
    }
}
