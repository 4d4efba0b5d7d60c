//! Tests of abort criteria: at the limits of thresholds, refused options, and that the stored form is lossless.

use proptest::prelude::*;

use crate::fleet::abort::criteria::Abort;
use crate::fleet::abort::error::AbortError;
use crate::fleet::abort::options::CriterionOptions;
use crate::fleet::abort::words::{AbortAction, AbortFailure};
use crate::fleet::outcome_counts::OutcomeCounts;

fn one(failure: &str, action: &str, threshold: f64, minimum: i64) -> CriterionOptions {
    CriterionOptions {
        failure_type: failure.to_owned(),
        action: action.to_owned(),
        threshold_percentage: threshold,
        min_number_of_executed_things: minimum,
    }
}

fn is_met(failure: &str, threshold: f64, minimum: i64, outcomes: OutcomeCounts) -> bool {
    Abort::new(&[one(failure, "CANCEL", threshold, minimum)]).unwrap().met_criterion(&outcomes).is_some()
}

#[test]
fn an_abort_config_of_jobs_is_accepted_unchanged() {
    let criteria = r#"[{"failureType":"FAILED","action":"CANCEL","thresholdPercentage":20,"minNumberOfExecutedThings":100},
        {"failureType":"TIMED_OUT","action":"CANCEL","thresholdPercentage":50.25,"minNumberOfExecutedThings":200}]"#;
    let options: Vec<CriterionOptions> = serde_json::from_str(criteria).unwrap();
    let abort = Abort::new(&options).unwrap();
    let [failed, timed_out] = abort.criteria() else { panic!("two") };
    assert_eq!((failed.failure(), failed.threshold_hundredths()), (AbortFailure::Failed, 2_000));
    assert_eq!((timed_out.failure(), timed_out.threshold_hundredths()), (AbortFailure::TimedOut, 5_025));
    assert_eq!((timed_out.action(), timed_out.min_number_of_executed_things()), (AbortAction::Cancel, 200));
    assert_eq!(abort.options(), options);
}

#[test]
fn a_criterion_is_met_at_its_threshold_and_not_below() {
    let outcomes = |executed, failed| OutcomeCounts { executed, failed, ..OutcomeCounts::default() };
    assert!(is_met("FAILED", 20.0, 10, outcomes(10, 2)));
    assert!(!is_met("FAILED", 20.0, 10, outcomes(10, 1)));
    assert!(!is_met("FAILED", 20.0, 10, outcomes(9, 9)), "fewer than the minimum have ended");
    assert!(is_met("FAILED", 33.33, 1, outcomes(3, 1)), "a third is more than 33.33 percent");
    assert!(!is_met("FAILED", 33.34, 1, outcomes(3, 1)));
    assert!(is_met("FAILED", 0.01, 1, outcomes(10_000, 1)));
    assert!(!is_met("FAILED", 0.01, 1, outcomes(10_001, 1)));
    assert!(is_met("FAILED", 100.0, 1, outcomes(1, 1)));
    assert!(!is_met("FAILED", 0.01, 1, OutcomeCounts::default()), "no execution has ended");
    let all = OutcomeCounts {
        failed: u64::MAX,
        rejected: u64::MAX,
        timed_out: u64::MAX,
        executed: u64::MAX,
        ..OutcomeCounts::default()
    };
    assert!(is_met("ALL", 100.0, 1, all));
    assert!(!is_met("FAILED", 100.0, 1, outcomes(u64::MAX, u64::MAX - 1)), "not rounded");
}

#[test]
fn each_failure_type_counts_its_own_statuses() {
    let outcomes = OutcomeCounts {
        executed: 100,
        succeeded: 40,
        failed: 10,
        rejected: 20,
        timed_out: 25,
        canceled: 5,
        no_response: 15,
    };
    for (failure, exactly) in
        [("FAILED", 10.0), ("REJECTED", 20.0), ("TIMED_OUT", 25.0), ("NO_RESPONSE", 15.0), ("ALL", 55.0)]
    {
        assert!(is_met(failure, exactly, 100, outcomes), "{failure}");
        assert!(!is_met(failure, exactly + 0.01, 100, outcomes), "{failure}");
        assert!(!is_met(failure, exactly, 101, outcomes), "{failure}");
    }
}

#[test]
fn the_first_criterion_that_cancels_wins() {
    let options = [
        one("FAILED", "PAUSE", 10.0, 1),
        one("REJECTED", "CANCEL", 90.0, 1),
        one("ALL", "CANCEL", 50.0, 1),
        one("FAILED", "CANCEL", 50.0, 1),
    ];
    let abort = Abort::new(&options).unwrap();
    let met = |executed, failed| abort.met_criterion(&OutcomeCounts { executed, failed, ..OutcomeCounts::default() });
    assert_eq!(met(10, 0), None);
    assert_eq!(met(10, 1), abort.criteria().first());
    assert_eq!(met(10, 5), abort.criteria().get(2), "a cancel wins over a pause in any order");
    assert_eq!(
        Abort::default().met_criterion(&OutcomeCounts { executed: 1, failed: 1, ..OutcomeCounts::default() }),
        None
    );
}

#[test]
fn outcomes_before_a_resume_do_not_pause_again() {
    let abort = Abort::new(&[one("FAILED", "PAUSE", 50.0, 10)]).unwrap();
    let resumed = OutcomeCounts { executed: 10, failed: 10, ..OutcomeCounts::default() };
    let later = |executed, failed| {
        abort.met_criterion_since(&resumed, &OutcomeCounts { executed, failed, ..OutcomeCounts::default() })
    };
    assert_eq!(later(10, 10), None);
    assert_eq!(later(20, 14), None);
    assert_eq!(later(19, 19), None, "the minimum counts from the resume on");
    assert!(later(20, 15).is_some());
    assert_eq!(later(9, 9), None, "counts that lag behind");
}

#[test]
fn a_refused_option_names_its_field() {
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
fn an_invalid_stored_text_is_an_error() {
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
    fn the_stored_form_is_lossless(
        options in proptest::collection::vec((0..5usize, any::<bool>(), 1..=10_000u16, 1..=u32::MAX), 1..=10),
    ) {
        let options: Vec<_> = options.iter().map(|(failure, cancel, hundredths, minimum)| {
            let failure = ["FAILED", "REJECTED", "TIMED_OUT", "NO_RESPONSE", "ALL"][*failure];
            one(failure, if *cancel { "CANCEL" } else { "PAUSE" }, f64::from(*hundredths) / 100.0, i64::from(*minimum))
        }).collect();
        let abort = Abort::new(&options).unwrap();
        prop_assert_eq!(abort.options(), options);
        prop_assert_eq!(Abort::from_stored(&abort.to_stored()).unwrap(), abort);
    }

    #[test]
    fn no_count_overflows(failed: u64, rejected: u64, timed_out: u64, executed: u64, hundredths in 1..=10_000u16) {
        let outcomes = OutcomeCounts { executed, failed, rejected, timed_out, ..OutcomeCounts::default() };
        let failing = u128::from(failed) + u128::from(rejected) + u128::from(timed_out);
        let expected = executed > 0 && failing * 10_000 >= u128::from(executed) * u128::from(hundredths);
        prop_assert_eq!(is_met("ALL", f64::from(hundredths) / 100.0, 1, outcomes), expected);
    }
}
