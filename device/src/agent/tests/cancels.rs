//! Tests of cancel notices.

use super::*;

#[test]
fn cancel_stops_a_running_execution_which_confirms_it() {
    let mut agent = new_agent();
    agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    let stop = Action::Stop { execution_id: "e1".into(), attempt: 1 };
    assert_eq!(agent.on_message("cmd/pump-7/cancel", &cancel("e1", 1), NOW_MS), [stop]);
    assert_eq!(agent.on_cancel(&cancel("e1", 1), NOW_MS), [], "a second notice changes nothing");
    let canceled = status("CANCELED", "");
    let stopped = agent.on_finished("e1", 1, Outcome::failed("STOPPED", ""));
    assert_eq!(only_report(&stopped), canceled);
    assert_eq!(agent.on_finished("e1", 1, Outcome::failed("STOPPED", "")), [], "it has ended already");
    let (mut agent, actions) = restart(&agent, NOW_MS);
    assert_eq!(only_report(&actions), canceled, "the report may be lost");
    for attempt in 1..3 {
        assert_eq!(only_report(&agent.on_request(&to_bytes(&request("e1", attempt)), NOW_MS)), canceled);
    }
    assert_eq!((agent.running_count(), agent.on_tick(NOW_MS + 60_000)), (0, vec![]));
}

#[test]
fn success_that_a_cancel_did_not_prevent_is_reported() {
    let mut agent = new_agent();
    agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    agent.on_cancel(&cancel("e1", 1), NOW_MS);
    let finished = agent.on_finished("e1", 1, Outcome::succeeded(None));
    assert_eq!(only_report(&finished), status("SUCCEEDED", ""));
}

#[test]
fn cancel_that_arrives_before_its_request_is_remembered() {
    let mut agent = new_agent();
    assert_eq!(agent.on_cancel(&cancel("e1", 1), NOW_MS), []);
    let (mut agent, _) = restart(&agent, NOW_MS);
    assert_eq!(agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS), []);
    assert_eq!(agent.on_request(&with_field(request("e1", 2), "expiresAt", json!("soon")), NOW_MS), []);
    for unreadable in [&b"\xff"[..], b"{}", b"[]", br#"{"executionId":"a/b"}"#, &[b' '; 128 * 1024 + 1]] {
        assert_eq!(agent.on_cancel(unreadable, NOW_MS), []);
    }
    assert_eq!(agent.ignored()["unreadable cancel notice"], 5);
}

#[test]
fn cancel_keeps_a_reported_outcome_and_forbids_another() {
    let mut agent = new_agent();
    agent.on_request(&to_bytes(&request("e1", 1)), NOW_MS);
    agent.on_finished("e1", 1, Outcome::failed("JAMMED", ""));
    assert_eq!(agent.on_cancel(&cancel("e1", 2), NOW_MS), []);
    let (mut agent, actions) = restart(&agent, NOW_MS);
    assert_eq!(only_report(&actions), status("FAILED", "JAMMED"));
    assert_eq!(only_report(&agent.on_request(&to_bytes(&request("e1", 2)), NOW_MS)), status("FAILED", "JAMMED"));
}
