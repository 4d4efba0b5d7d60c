//! Reports of small fleets.

use device::fleet::{Behaviour, Script};

use super::super::api::Execution;
use super::*;

fn thing(behaviour: Behaviour, status: &str, reason: Option<&str>, late: bool) -> ThingResult {
    let thing = format!("pump-{behaviour:?}");
    let (status, reason) = (status.to_owned(), reason.map(str::to_owned));
    ThingResult {
        execution: Some(Execution { thing: thing.clone(), status, reason, late }),
        thing,
        script: Script { behaviour, work_ms: 5 },
        request_after: Some(Duration::from_millis(12)),
        report_after: Some(Duration::from_millis(34)),
    }
}

fn recount(things: &[ThingResult], counts: serde_json::Value) -> Recount {
    let command = serde_json::from_value(serde_json::json!({"state": "COMPLETED", "counts": counts}));
    let executions = things.iter().filter_map(|thing| thing.execution.clone()).collect();
    Recount { executions, command: command.expect("a command") }
}

fn report<'a>(things: &'a [ThingResult], recount: &'a Recount) -> Report<'a> {
    let stats = Stats { deltas: 2, delta_bytes: 400, trimmed: 2, trimmed_bytes: 100, ..Stats::default() };
    let (reported_after, wall) = (Some(Duration::from_secs(2)), Duration::from_secs(3));
    Report { things, recount, stats, canary: 1, reported_after, wall }
}

fn all() -> [ThingResult; 6] {
    [
        thing(Behaviour::Succeeds, "SUCCEEDED", None, false),
        thing(Behaviour::Late, "SUCCEEDED", None, true),
        thing(Behaviour::Mute, "TIMED_OUT", Some("NO_RESPONSE"), false),
        thing(Behaviour::NeverOnline, "TIMED_OUT", Some("NO_RESPONSE"), false),
        thing(Behaviour::Crashes, "TIMED_OUT", Some("HEARTBEAT_LOST"), false),
        thing(Behaviour::Fails, "FAILED", Some("PUMP_JAMMED"), false),
    ]
}

#[test]
fn report_is_good_when_all_ended_as_scripted_and_are_counted() {
    let all = all();
    let recount =
        recount(&all, serde_json::json!({"total": 6, "waiting": 0, "SUCCEEDED": 2, "TIMED_OUT": 3, "FAILED": 1}));
    let report = report(&all, &recount);
    let text = report.text();
    assert!(report.is_good(), "{text}");
    for part in [
        "All 6 executions ended as scripted.",
        "never reports: TIMED_OUT / NO_RESPONSE",
        "is never online: TIMED_OUT / NO_RESPONSE",
        "reports late: SUCCEEDED (late)",
        "75 % less",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("DIFFERS"), "{text}");
}

#[test]
fn wrong_counts_fail_a_check() {
    let all = all();
    for counts in [
        serde_json::json!({"total": 6, "waiting": 0, "SUCCEEDED": 3, "TIMED_OUT": 2, "FAILED": 1}),
        serde_json::json!({"total": 7, "waiting": 1, "SUCCEEDED": 2, "TIMED_OUT": 3, "FAILED": 1}),
        serde_json::json!({"total": 7, "waiting": 0, "SUCCEEDED": 2, "TIMED_OUT": 3, "FAILED": 1}),
    ] {
        let recount = recount(&all, counts);
        let report = report(&all, &recount);
        let text = report.text();
        assert!(!report.is_good() && !recount.is_consistent());
        assert!(text.contains("DIFFERS") && text.contains("checks failed."), "{text}");
    }
}

#[test]
fn differing_outcome_is_listed_with_the_expected_one() {
    for (wrong, listed) in [
        (thing(Behaviour::Fails, "SUCCEEDED", None, false), "expected FAILED / PUMP_JAMMED, actual SUCCEEDED"),
        (thing(Behaviour::Late, "TIMED_OUT", Some("EXPIRED"), false), "actual TIMED_OUT / EXPIRED"),
        (thing(Behaviour::Succeeds, "SUCCEEDED", None, true), "actual SUCCEEDED (late)"),
        (thing(Behaviour::Mute, "TIMED_OUT", Some("EXPIRED"), false), "expected TIMED_OUT / NO_RESPONSE"),
        (thing(Behaviour::NeverOnline, "TIMED_OUT", Some("EXPIRED"), false), "expected TIMED_OUT / NO_RESPONSE"),
        (ThingResult { execution: None, ..thing(Behaviour::Succeeds, "", None, false) }, "actual no execution"),
    ] {
        let all = [wrong];
        let recount = recount(&all, serde_json::json!({"total": 1, "waiting": 0}));
        let report = report(&all, &recount);
        let text = report.text();
        assert!(!report.is_good());
        assert!(text.contains("checks failed."), "{text}");
        assert!(text.contains(listed), "{listed} is missing in {text}");
    }
}

#[test]
fn canary_and_others_have_latencies_of_their_own() {
    let all = all();
    let recount = recount(&all, serde_json::json!({"total": 6, "waiting": 0}));
    let text = report(&all, &recount).text();
    let count = |row: &str| {
        let line = text.lines().find(|line| line.contains(row)).unwrap_or_else(|| panic!("{row} is missing in {text}"));
        line.split_whitespace().rev().nth(5).map(str::to_owned)
    };
    assert_eq!(count("to a request, canary").as_deref(), Some("1"));
    assert_eq!(count("to a request, others").as_deref(), Some("5"));
}
