//! Tests of requests: starts, refusals, repeated requests, further attempts, response topics.

use super::*;

#[test]
fn request_is_accepted_started_and_ended() {
    let mut agent = new_agent();
    let actions = agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    let (reports, _) = reports_and_starts(&actions);
    assert_eq!(reports, [json!({"executionId": "e1", "attempt": 1, "status": "IN_PROGRESS", "seq": 0})]);
    let start = Action::Start {
        execution_id: "e1".into(),
        attempt: 1,
        command: "reboot".into(),
        payload: json!({"delay": 5}),
        expires_at_ms: NOW_MS + 300_000,
    };
    assert_eq!(actions[1], start);
    let ended = agent.on_finished("e1", 1, Outcome::succeeded(None));
    assert_eq!(only_report(&ended), status("SUCCEEDED", ""));
    assert_eq!(agent.running_count(), 0);
}

#[test]
fn repeated_request_gets_the_current_report() {
    let mut agent = new_agent();
    let first = to_bytes(&request("e1", 1));
    agent.on_request(&first, NOW_MS);
    agent.on_tick(NOW_MS + 30_000);
    let (reports, starts) = reports_and_starts(&agent.on_request(&first, NOW_MS + 30_001));
    assert_eq!((&reports[0]["seq"], starts), (&json!(1), 0));
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    assert_eq!(only_report(&agent.on_request(&first, NOW_MS + 1_000_000)), status("FAILED", "JAMMED"));
}

#[test]
fn next_attempt_runs_only_after_a_failure() {
    let mut agent = new_agent();
    agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    assert_eq!(only_report(&agent.on_request(&to_bytes(&request("e1", 2)), NOW_MS)), status("IN_PROGRESS", ""));
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    let (_, starts) = reports_and_starts(&agent.on_request(&to_bytes(&request("e1", 2)), NOW_MS));
    assert_eq!(starts, 1);
    assert_eq!(only_report(&agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS)), status("IN_PROGRESS", ""));
    agent.on_finished("e1", 2, Outcome::succeeded(None));
    let (reports, starts) = reports_and_starts(&agent.on_request(&to_bytes(&request("e1", 3)), NOW_MS));
    assert_eq!((&reports[0]["status"], &reports[0]["attempt"], starts), (&json!("SUCCEEDED"), &json!(2), 0));
}

#[test]
fn older_attempt_than_the_newest_requested_never_runs() {
    let mut agent = new_agent();
    agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    assert_eq!(only_report(&agent.on_request(&to_bytes(&request("e1", 3)), NOW_MS)), status("IN_PROGRESS", ""));
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    let (mut agent, _) = restart(&agent, NOW_MS);
    assert_eq!(only_report(&agent.on_request(&to_bytes(&request("e1", 2)), NOW_MS)), status("FAILED", "JAMMED"));
    assert_eq!(reports_and_starts(&agent.on_request(&to_bytes(&request("e1", 3)), NOW_MS)).1, 1);
}

#[test]
fn expired_request_never_runs() {
    let mut agent = new_agent();
    let expires_ms = NOW_MS + 300_000;
    assert_eq!(
        only_report(&agent.on_request(&to_bytes(&request("e1", 1)), expires_ms)),
        status("TIMED_OUT", "EXPIRED")
    );
    let (_, starts) = reports_and_starts(&agent.on_request(&to_bytes(&request("e2", 1)), expires_ms - 1));
    assert_eq!(starts, 1);
    agent.config.expiry_tolerance_ms = 500;
    let (_, starts) = reports_and_starts(&agent.on_request(&to_bytes(&request("e3", 1)), expires_ms + 499));
    assert_eq!(starts, 1);
}

#[test]
fn execution_is_not_forgotten_as_expired_within_the_tolerance() {
    let mut agent = new_agent();
    (agent.config.max_executions, agent.config.expiry_tolerance_ms) = (2, 500);
    let expires_ms = NOW_MS + 300_000;
    for (id, more_seconds) in [("used", 100), ("done", 0)] {
        let request = with_field(request(id, 1), "expiresAt", json!(expires_ms / 1000 + more_seconds));
        agent.on_request(&request, expires_ms + 1);
        agent.on_finished(id, 1, Outcome::succeeded(None));
    }
    agent.on_cancel(&cancel("other", 1), expires_ms + 2);
    let repeated = agent.on_request(&to_bytes(&request("done", 1)), expires_ms + 3);
    assert_eq!(only_report(&repeated), status("SUCCEEDED", ""));
}

#[test]
fn request_that_cannot_run_is_rejected_or_ignored() {
    let mut agent = new_agent();
    let unknown = with_field(request("e1", 1), "command", json!("dance"));
    assert_eq!(only_report(&agent.on_request(&unknown, NOW_MS)), status("REJECTED", "UNKNOWN_COMMAND"));
    let malformed = with_field(request("e2", 1), "expiresAt", json!("tomorrow"));
    assert_eq!(only_report(&agent.on_request(&malformed, NOW_MS)), status("REJECTED", "MALFORMED_REQUEST"));
    let valid = agent.on_request(&to_bytes(&request("e2", 1)), NOW_MS);
    assert_eq!(only_report(&valid), status("REJECTED", "MALFORMED_REQUEST"));
    assert_eq!(agent.on_request(b"\xff\x00", NOW_MS), []);
    assert_eq!(agent.on_request(&vec![b' '; 128 * 1024 + 1], NOW_MS), []);
    assert_eq!(agent.on_finished("unknown", 1, Outcome::succeeded(None)), []);
    assert_eq!(agent.ignored().values().sum::<u64>(), 4);
}

#[test]
fn too_many_requests_at_once_are_busy_and_no_running_execution_is_forgotten() {
    let mut agent = new_agent();
    agent.config.max_executions = 2;
    for id in ["a", "b"] {
        agent.on_request(&to_bytes(&request(id, 1)), NOW_MS);
    }
    assert_eq!(only_report(&agent.on_request(&to_bytes(&request("c", 1)), NOW_MS)), status("REJECTED", "BUSY"));
    for id in ["a", "b"] {
        assert_eq!(only_report(&agent.on_finished(id, 1, Outcome::succeeded(None))), status("SUCCEEDED", ""));
    }
}

#[test]
fn reports_stay_on_the_things_own_topics() {
    let mut agent = new_agent();
    for (n, requested, used) in [
        (1, json!("cmd/pump-7/response"), "cmd/pump-7/response"),
        (2, json!("$aws/rules/track/cmd/pump-7/resp"), "$aws/rules/track/cmd/pump-7/resp"),
        (3, json!("cmd/pump-8/resp"), "cmd/pump-7/resp"),
        (4, json!("cmd/pump-7/req"), "cmd/pump-7/resp"),
        (5, json!("$aws/things/pump-7/shadow/update"), "cmd/pump-7/resp"),
    ] {
        let request = with_field(request(&format!("e{n}"), 1), "responseTopic", requested);
        let actions = agent.on_request(&request, NOW_MS);
        assert!(matches!(&actions[0], Action::Report { topic, .. } if topic == used), "{actions:?}");
    }
}
