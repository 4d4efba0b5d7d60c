//! The history of an execution loses no step: what an earlier attempt had come to, and verdicts that were shown.

use std::time::Duration;

use local::clock::Clock;
use local::faults::Transit;
use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

fn millis(at: &Value) -> i64 {
    at.as_str().expect("a time").parse::<jiff::Timestamp>().expect("RFC 3339").as_millisecond()
}

/// Each step in a line: seconds since the creation, attempt, status or delivery status, reason.
fn lines(shown: &Value) -> Vec<String> {
    let history = shown["history"].as_array().expect("a history");
    let line = |step: &Value| {
        let seconds = (millis(&step["at"]) - millis(&history[0]["at"])) / 1000;
        let status = step["status"].as_str().or(step["deliveryStatus"].as_str()).expect("a status");
        let reason = step["reason"].as_str().map(|reason| format!(" {reason}")).unwrap_or_default();
        format!("+{seconds} {} {status}{reason}", step["attempt"])
    };
    history.iter().map(line).collect()
}

/// The size of an item as DynamoDB counts it: names and values, and 3 bytes for a list with 1 for each element.
fn item_bytes(item: &Value) -> usize {
    fn value_bytes(value: &Value) -> usize {
        let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("a typed value");
        match kind.as_str() {
            "S" => value.as_str().expect("text").len(),
            "N" => value.as_str().expect("a number").len().div_ceil(2) + 1,
            "L" => 3 + value.as_array().expect("a list").iter().map(|value| 1 + value_bytes(value)).sum::<usize>(),
            _ => 1,
        }
    }
    item.as_object().expect("an item").iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn steps_of_an_attempt_that_failed_stay_in_the_history() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 3, "on": ["FAILED"], "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"retry": retry})).await;
    for attempt in 1..=2 {
        let (_, request) = pump.next_json().await;
        let id = &request["executionId"];
        for (seconds, status) in [(2, "IN_PROGRESS"), (3, "FAILED")] {
            world.advance(seconds).await;
            pump.report("pump-7", json!({"executionId": id, "attempt": attempt, "status": status})).await;
            world.settle().await;
        }
    }
    let (_, request) = pump.next_json().await;
    pump.report("pump-7", json!({"executionId": request["executionId"], "attempt": 3, "status": "SUCCEEDED"})).await;
    world.settle().await;
    let shown = world.execution(&command, "pump-7").await;
    let expected = [
        "+0 1 CREATED",
        "+0 1 SENT",
        "+0 1 DELIVERED",
        "+2 1 IN_PROGRESS",
        "+5 1 CREATED FAILED",
        "+5 2 SENT",
        "+5 2 DELIVERED",
        "+7 2 IN_PROGRESS",
        "+10 2 CREATED FAILED",
        "+10 3 SENT",
        "+10 3 DELIVERED",
        "+10 3 SUCCEEDED",
    ];
    assert_eq!(lines(&shown), expected, "{shown:#}");
    // A write unit is charged for each KB of the row.
    let row = world.rows(EXECUTIONS).await.into_iter().find(|row| row["history"].is_object()).expect("the row");
    let bytes = item_bytes(&row);
    println!("the row of an execution with three attempts has {bytes} bytes");
    assert!(bytes < 950, "{bytes}: {row:#}");
    let sent = json!({"deliveryStatus": "SENT", "by": "command-api", "via": "direct"});
    for member in ["deliveryStatus", "by", "via"] {
        assert_eq!(shown["history"][1][member], sent[member], "{shown:#}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn verdict_that_was_shown_stays_in_the_history() {
    let world = World::start().await;
    for (body, report_at, reason, steps) in [
        (
            json!({"heartbeat": 1}),
            1,
            "HEARTBEAT_LOST",
            vec!["+0 1 CREATED", "+0 1 SENT", "+0 1 DELIVERED", "+1 1 IN_PROGRESS"],
        ),
        (json!({"ttl": 1}), 0, "NO_RESPONSE", vec!["+0 1 CREATED", "+0 1 SENT", "+0 1 DELIVERED"]),
    ] {
        let mut pump = world.thing("pump-7").await;
        let command = world.command("pump-7", body).await;
        let (_, request) = pump.next_json().await;
        let report = |status: &str| json!({"executionId": request["executionId"], "status": status});
        if report_at > 0 {
            world.advance(report_at).await;
            pump.report("pump-7", report("IN_PROGRESS")).await;
        }
        world.advance(5).await;
        let before = world.execution(&command, "pump-7").await;
        assert_eq!((&before["status"], &before["reason"]), (&json!("TIMED_OUT"), &json!(reason)));
        pump.report("pump-7", report("SUCCEEDED")).await;
        world.settle().await;
        let after = world.execution(&command, "pump-7").await;
        assert_eq!((&after["status"], &after["late"]), (&json!("SUCCEEDED"), &json!(true)), "{after:#}");
        let shown = lines(&before);
        assert_eq!(shown[..shown.len() - 1], steps);
        let ended = [shown.clone(), vec![format!("+{} 1 SUCCEEDED", 5 + report_at)]].concat();
        assert_eq!(lines(&after), ended, "{after:#}");
        world.advance(60).await;
        assert_eq!(lines(&world.execution(&command, "pump-7").await), ended);
        pump.leave().await;
    }
    world.end().await;
}

/// The first sending is not acknowledged, and the request goes out again when its device is back.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn sending_that_was_not_acknowledged_stays_in_the_history() {
    let cases = [
        ("direct", ["+0 1 CREATED", "+0 1 SENT", "+2 1 SENT", "+2 1 DELIVERED", "+20 1 SUCCEEDED"].as_slice()),
        (
            "topic",
            ["+0 1 CREATED", "+0 1 SENT", "+2 1 PENDING", "+10 1 SENT", "+20 1 DELIVERED", "+20 1 SUCCEEDED"]
                .as_slice(),
        ),
    ];
    for (delivery, expected) in cases {
        let world = World::start().await;
        let half_open = if delivery == "direct" { Some(world.thing("pump-7").await) } else { None };
        world.stack.faults.messages(|message| if message.direct { Transit::Lost } else { Transit::Delivered });
        let command = world.command("pump-7", json!({"delivery": delivery})).await;
        world.stack.faults.messages(|_| Transit::Delivered);
        world.advance(2).await;
        let mut pump = world.thing("pump-7").await;
        drop(half_open);
        for seconds in [0, 5, 13] {
            world.advance(seconds).await;
            let shown = lines(&world.execution(&command, "pump-7").await);
            assert!(expected.starts_with(&shown.iter().map(String::as_str).collect::<Vec<_>>()), "{shown:?}");
        }
        let (_, request) = pump.next_json().await;
        pump.report("pump-7", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
        world.settle().await;
        let shown = world.execution(&command, "pump-7").await;
        assert_eq!(lines(&shown), expected, "{delivery}: {shown:#}");
        assert_eq!(shown["history"][1]["by"], "command-api");
        world.end().await;
    }
}

/// On the system's clock, since no time passes for a function while a test's clock stands.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn each_step_has_the_millisecond_at_which_it_happened() {
    let world = World::on_clock(Clock::system(), true, &[], |template| template).await;
    let _pump = world.thing("pump-7").await;
    let mut reached = world.hold_first(|call| call.operation == "IotData.SendDirectMessage");
    let command = world.while_held(world.command("pump-7", json!({})), async {
        reached.recv().await.expect("the message is held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    let (command, ()) = command.await;
    let shown = world.execution(&command, "pump-7").await;
    let at = |step: usize| millis(&shown["history"][step]["at"]);
    assert_eq!(shown["history"][2]["deliveryStatus"], "DELIVERED", "{shown:#}");
    assert!(at(0) <= at(1) && at(1) + 50 <= at(2), "{shown:#}");
    world.end().await;
}
