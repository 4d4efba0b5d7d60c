//! Tests of broadcasts: one request to many things, delayed by each.

use super::*;

const GROUP_TOPIC: &str = "cmd/group/pumps/req";

fn subscribed_agent() -> Agent {
    let mut agent = new_agent();
    agent.config.groups = vec!["pumps".to_owned(), "north".to_owned()];
    agent.config.broadcast_topics = vec!["device_status/request".to_owned()];
    agent.config.response_topics = vec!["device_status/response".to_owned(), "device_status/request".to_owned()];
    agent
}

fn broadcast(id: &str, attempt: u32, spread_seconds: u32) -> Value {
    json!({"commandId": id, "attempt": attempt, "command": "reboot", "ttl": 300, "expiresAt": NOW_MS / 1000 + 300,
           "heartbeat": 30, "spread": spread_seconds})
}

fn only_status(actions: &[Action]) -> String {
    only_report(actions).0
}

/// The topic of the first report.
fn report_topic(actions: &[Action]) -> &str {
    let mut topics = actions.iter().filter_map(|action| match action {
        Action::Report { topic, .. } => Some(topic.as_str()),
        _ => None,
    });
    topics.next().unwrap()
}

#[test]
fn broadcast_runs_once_and_is_reported_with_the_commands_id() {
    let mut agent = subscribed_agent();
    let topics = ["cmd/group/pumps/req", "cmd/group/north/req", "device_status/request"];
    assert_eq!(agent.topics()[2..], topics);
    let message = to_bytes(&broadcast("c1", 1, 0));
    let (reports, starts) = reports_and_starts(&agent.on_message(GROUP_TOPIC, &message, NOW_MS));
    assert_eq!(reports, [json!({"commandId": "c1", "attempt": 1, "status": "IN_PROGRESS", "seq": 0})]);
    assert_eq!(starts, 1);
    assert_eq!(agent.next_heartbeat_ms(), Some(NOW_MS + 30_000));
    assert_eq!(reports_and_starts(&agent.on_tick(NOW_MS + 30_000)).0[0]["commandId"], "c1", "a heartbeat");
    for topic in topics {
        let (reports, starts) = reports_and_starts(&agent.on_message(topic, &message, NOW_MS + 30_000));
        assert_eq!((reports[0]["seq"].as_u64(), starts), (Some(1), 0), "repeated on {topic}");
    }
    let ended = agent.on_finished("c1", 1, Outcome::succeeded(None));
    assert_eq!(reports_and_starts(&ended).0, [json!({"commandId": "c1", "attempt": 1, "status": "SUCCEEDED"})]);
    let (_, restored) = restart(&agent, NOW_MS);
    assert_eq!(restored, ended, "the snapshot keeps the kind of the id");
    assert_eq!(agent.on_message("cmd/group/south/req", &message, NOW_MS), []);
    assert_eq!(agent.ignored()["unexpected topic"], 1);
}

#[test]
fn broadcast_to_another_group_is_not_run() {
    let mut agent = subscribed_agent();
    let to = |id: &str, group: Value| {
        let mut request = broadcast(id, 1, 0);
        request["group"] = group;
        to_bytes(&request)
    };
    let topic = "device_status/request";
    assert_eq!(agent.on_message(topic, &to("c1", json!("valves")), NOW_MS), []);
    assert_eq!(agent.ignored()["broadcast to another group"], 1);
    assert_eq!(reports_and_starts(&agent.on_message(topic, &to("c2", json!("north")), NOW_MS)).1, 1);
    assert_eq!(reports_and_starts(&agent.on_message(topic, &to("c3", json!(7)), NOW_MS)).1, 1, "no name of a group");
    agent.config.groups.clear();
    assert_eq!(
        reports_and_starts(&agent.on_message(topic, &to("c1", json!("valves")), NOW_MS)).1,
        1,
        "it knows no group"
    );
}

#[test]
fn broadcast_that_cannot_run_is_refused_like_any_request() {
    let mut agent = subscribed_agent();
    let mut reason_for = |key: &str, value: Value| {
        let mut request = broadcast(&format!("not-{key}"), 1, 0);
        request[key] = value;
        let actions = agent.on_message(GROUP_TOPIC, &to_bytes(&request), NOW_MS);
        assert_eq!(reports_and_starts(&actions).0[0]["commandId"], format!("not-{key}"));
        only_report(&actions).1
    };
    assert_eq!(reason_for("command", json!("dance")), "UNKNOWN_COMMAND");
    assert_eq!(reason_for("expiresAt", json!(NOW_MS / 1000)), "EXPIRED");
    assert_eq!(reason_for("attempt", json!(0)), "MALFORMED_REQUEST");
    assert_eq!(agent.on_message(GROUP_TOPIC, b"{}", NOW_MS), []);
}

#[test]
fn next_attempt_of_a_broadcast_runs_only_after_a_failure() {
    let mut agent = subscribed_agent();
    agent.on_message(GROUP_TOPIC, &to_bytes(&broadcast("c1", 1, 0)), NOW_MS);
    let second = to_bytes(&broadcast("c1", 2, 0));
    assert_eq!(only_status(&agent.on_message(GROUP_TOPIC, &second, NOW_MS)), "IN_PROGRESS");
    agent.on_finished("c1", 1, Outcome::failed("JAMMED", ""));
    assert_eq!(reports_and_starts(&agent.on_message(GROUP_TOPIC, &second, NOW_MS)).1, 1);
}

#[test]
fn delayed_broadcast_is_neither_started_nor_reported_before_it_is_due() {
    let mut agent = subscribed_agent();
    let message = to_bytes(&broadcast("c1", 1, 60));
    assert_eq!(agent.on_message(GROUP_TOPIC, &message, NOW_MS), []);
    let due_ms = agent.next_broadcast_ms().unwrap();
    assert!((NOW_MS..NOW_MS + 60_000).contains(&due_ms), "{due_ms}");
    assert_eq!(agent.on_message(GROUP_TOPIC, &message, due_ms - 1), [], "a repeated message changes nothing");
    assert_eq!(agent.on_tick(due_ms - 1), []);
    let (mut agent, actions) = restart(&agent, due_ms - 1);
    assert_eq!((actions, agent.next_broadcast_ms()), (vec![], Some(due_ms)), "a restart forgets nothing");
    let (reports, starts) = reports_and_starts(&agent.on_tick(due_ms));
    assert_eq!((reports.len(), starts, agent.next_broadcast_ms()), (1, 1, None));

    assert_eq!(agent.on_message(GROUP_TOPIC, &message, due_ms + 1), [], "the repeated report is delayed as well");
    assert_eq!(only_status(&agent.on_broadcast_due(due_ms + 60_000)), "IN_PROGRESS");
    assert_eq!(agent.running_count(), 1);
}

#[test]
fn refusals_are_delayed_even_for_malformed_broadcasts() {
    let mut agent = subscribed_agent();
    for (n, command) in [json!("dance"), json!(7)].into_iter().enumerate() {
        let mut request = broadcast(&format!("c{n}"), 1, 60);
        request["command"] = command;
        assert_eq!(agent.on_message(GROUP_TOPIC, &to_bytes(&request), NOW_MS), []);
    }
    let (reports, starts) = reports_and_starts(&agent.on_broadcast_due(NOW_MS + 60_000));
    let reasons: Vec<_> = reports.iter().map(|r| r["statusReason"]["reasonCode"].as_str().unwrap()).collect();
    assert_eq!((&reasons[..], starts), (&["UNKNOWN_COMMAND", "MALFORMED_REQUEST"][..], 0));
}

#[test]
fn cancel_by_either_id_stops_a_broadcast_delayed_or_running() {
    let mut agent = subscribed_agent();
    agent.on_message(GROUP_TOPIC, &to_bytes(&broadcast("c1", 1, 60)), NOW_MS);
    let cancel = to_bytes(&json!({"executionId": "e1", "commandId": "c1", "attempt": 1}));
    assert_eq!(agent.on_message("cmd/pump-7/cancel", &cancel, NOW_MS), []);
    assert_eq!(agent.on_broadcast_due(NOW_MS + 60_000), []);
    agent.on_message(GROUP_TOPIC, &to_bytes(&broadcast("c2", 1, 0)), NOW_MS);
    let stop = Action::Stop { execution_id: "c2".into(), attempt: 1 };
    assert_eq!(agent.on_cancel(&to_bytes(&json!({"commandId": "c2"})), NOW_MS), [stop]);
    assert_eq!(agent.ignored().len(), 0);
}

#[test]
fn broadcast_beyond_the_capacity_for_delayed_ones_is_handled_at_once() {
    let mut agent = subscribed_agent();
    agent.config.max_executions = 2;
    for (id, starts) in [("c1", 0), ("c2", 0), ("c3", 1)] {
        let message = to_bytes(&broadcast(id, 1, 60));
        assert_eq!(reports_and_starts(&agent.on_message(GROUP_TOPIC, &message, NOW_MS)).1, starts);
    }
}

#[test]
fn reports_go_to_the_requested_topic_only_if_it_is_allowed() {
    let mut agent = subscribed_agent();
    for (n, requested, used) in [
        (1, "device_status/response", "device_status/response"),
        (2, "cmd/pump-7/response", "cmd/pump-7/response"),
        (3, "billing/response", "cmd/pump-7/resp"),
        (4, "device_status/request", "cmd/pump-7/resp"),
    ] {
        let mut request = broadcast(&format!("c{n}"), 1, 0);
        request["responseTopic"] = requested.into();
        let actions = agent.on_message("device_status/request", &to_bytes(&request), NOW_MS);
        assert_eq!(report_topic(&actions), used);
    }
    let ended = agent.on_finished("c1", 1, Outcome::succeeded(None));
    assert_eq!(report_topic(&ended), "device_status/response", "every report of the execution");
}
