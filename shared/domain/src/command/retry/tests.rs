//! Tests of retry policies: defaults, refusals, and the stored form.

use proptest::prelude::*;

use super::*;

#[test]
fn missing_values_have_defaults() {
    let retry = Retry::new(&RetryOptions::default(), 300).unwrap();
    assert_eq!((retry.max_attempts(), retry.wait_seconds(), retry.backoff_seconds()), (3, 30, (5, 300)));
    assert_eq!(retry.on().collect::<Vec<_>>(), [AttemptFailure::NoResponse]);
    let short = Retry::new(&RetryOptions::default(), 10).unwrap();
    assert_eq!(short.wait_seconds(), 3, "three attempts within the ttl");
    let capped = Retry::new(&RetryOptions { cap: Some(2), ..RetryOptions::default() }, 10).unwrap();
    assert_eq!(capped.backoff_seconds(), (2, 2));
}

#[test]
fn errors_name_the_field() {
    let refused = |options: RetryOptions<'_>| Retry::new(&options, 300).unwrap_err();
    let on = Some(vec!["FAILED", "NO_RESPONSE"]);
    for (options, field) in [
        (RetryOptions { attempts: Some(1), ..RetryOptions::default() }, "retry.attempts"),
        (RetryOptions { attempts: Some(11), ..RetryOptions::default() }, "retry.attempts"),
        (RetryOptions { attempts: Some(-1), ..RetryOptions::default() }, "retry.attempts"),
        (RetryOptions { wait: Some(0), ..RetryOptions::default() }, "retry.wait"),
        (RetryOptions { cap: Some(i64::MAX), ..RetryOptions::default() }, "retry.backoff.cap"),
        (RetryOptions { base: Some(301), ..RetryOptions::default() }, "retry.backoff.base"),
        (RetryOptions { on: Some(vec![]), ..RetryOptions::default() }, "retry.on"),
        (RetryOptions { on: Some(vec!["EXPIRED"]), ..RetryOptions::default() }, "retry.on"),
        (RetryOptions { wait: Some(300), ..RetryOptions::default() }, "retry.wait"),
        (RetryOptions { wait: Some(301), on, ..RetryOptions::default() }, "retry.wait"),
    ] {
        let error = refused(options);
        assert_eq!(error.field(), field, "{error}");
    }
}

#[test]
fn wait_is_less_than_ttl_where_no_response_is_retried() {
    let options = |wait, on| RetryOptions { wait, on: Some(vec![on]), ..RetryOptions::default() };
    assert!(Retry::new(&options(Some(299), "NO_RESPONSE"), 300).is_ok());
    assert!(Retry::new(&options(Some(300), "FAILED"), 300).is_ok(), "the wait has no effect");
    for (ttl, attempts) in (2..100).flat_map(|ttl| (2..=10).map(move |attempts| (ttl, attempts))) {
        let retry = Retry::new(&RetryOptions { attempts: Some(attempts), ..RetryOptions::default() }, ttl).unwrap();
        assert!(retry.wait_seconds() < ttl, "{attempts} attempts within {ttl} s");
    }
}

proptest! {
    #[test]
    fn stored_policy_is_read_back(
        attempts in 2..=10i64, on in proptest::sample::subsequence(AttemptFailure::ALL.to_vec(), 1..=5),
        wait in 1..=86400i64, base in 0..=86400i64, more in 0..=86400i64,
    ) {
        let on = Some(on.iter().map(|failure| failure.as_str()).collect());
        let cap = Some((base + more).min(86400));
        let options = RetryOptions { attempts: Some(attempts), on, wait: Some(wait), base: Some(base), cap };
        let retry = Retry::new(&options, 86401).unwrap();
        prop_assert_eq!(Retry::from_stored(&retry.to_stored()), Some(retry));
    }
}
