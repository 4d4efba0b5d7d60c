//! Tests of snapshots and of the restart from them.

use super::*;

#[test]
fn restart_keeps_outcomes_and_fails_what_was_running() {
    let mut before = new_agent();
    before.on_request(&to_bytes(&request("done", 1)), NOW_MS);
    before.on_finished("done", 1, Outcome::succeeded(None));
    before.on_request(&to_bytes(&request("ran", 1)), NOW_MS);
    let (mut after, actions) = restart(&before, NOW_MS);
    let (reports, starts) = reports_and_starts(&actions);
    let reported: Vec<_> = reports.iter().map(|r| (r["executionId"].as_str(), r["status"].as_str())).collect();
    let expected = [(Some("done"), Some("SUCCEEDED")), (Some("ran"), Some("FAILED"))];
    assert_eq!((&reported[..], starts), (&expected[..], 0), "earlier reports may be lost");
    let repeated = after.on_request(&to_bytes(&request("ran", 1)), NOW_MS);
    assert_eq!(only_report(&repeated), status("FAILED", "DEVICE_RESTARTED"));
    assert_eq!(only_report(&after.on_request(&to_bytes(&request("done", 1)), NOW_MS)), status("SUCCEEDED", ""));
    assert_eq!(reports_and_starts(&after.on_session_lost()).0.len(), 2);
    assert!(Agent::restore(Config::new("x"), json!({"not": "a snapshot"}), NOW_MS).is_err());
}

#[test]
fn repeatable_command_is_started_again_after_a_restart_unless_it_has_expired() {
    let mut agent = new_agent();
    agent.config.repeatable = ["reboot".to_owned()].into();
    agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    // Refused while attempt 1 runs: its later expiry must not apply to attempt 1.
    agent.on_request(&with_field(request("e1", 2), "expiresAt", json!(NOW_MS / 1000 + 900)), NOW_MS);
    let before_heartbeat = agent.clone();
    assert_eq!(reports_and_starts(&agent.on_tick(NOW_MS + 30_000)).0[0]["seq"], 1);
    // The snapshot does not hold the heartbeat: its number must be skipped.
    let (mut after, actions) = restart(&before_heartbeat, NOW_MS + 40_000);
    let (reports, starts) = reports_and_starts(&actions);
    assert_eq!((reports.len(), reports[0]["seq"].as_u64(), starts), (1, Some(2), 1));
    assert!(matches!(&actions[1], Action::Start { payload, attempt: 1, .. } if *payload == json!({"delay": 5})));
    assert_eq!(reports_and_starts(&after.on_tick(NOW_MS + 70_000)).0[0]["seq"], 3);
    assert_eq!(only_report(&after.on_finished("e1", 1, Outcome::succeeded(None))), status("SUCCEEDED", ""));
    let (_, actions) = restart(&before_heartbeat, NOW_MS + 300_000);
    assert_eq!(only_report(&actions), status("FAILED", "DEVICE_RESTARTED"));
}

#[test]
fn snapshot_of_executions_alone_is_restored() {
    let mut before = new_agent();
    before.on_request(br#"{"executionId":"e1","command":"reboot","expiresAt":2000}"#, NOW_MS);
    let executions = before.snapshot()["executions"].clone();
    assert_eq!(executions[0]["executionId"], "e1");
    let (_, actions) = Agent::restore(before.config.clone(), executions, NOW_MS).unwrap();
    assert_eq!(only_report(&actions).1, "DEVICE_RESTARTED");
}
