//! What is due comes within two seconds of its time, although the default template looks for due work once a minute:
//! attempts, verdicts, a fleet's window. So it does in the first minute, before the first tick, and with ticks that are
//! closer to each other.

use std::time::Duration;

use local::faults::Delivery;
use local::journal::Event;
use serde_json::{Value, json};

use crate::world::{EXECUTIONS, START, World};

/// How late something may be, in milliseconds.
const MAX_LATE_MS: i64 = 2_000;

/// Worlds with the default interval of ticks, and with the shortest one.
async fn worlds() -> [World; 2] {
    [World::start().await, World::with_parameters(&[("ReconcileSeconds", "5")]).await]
}

/// The time of the first write after which the row of a thing is as asked, in milliseconds since [`START`].
fn first_written(world: &World, thing: &str, is_asked: impl Fn(&Value) -> bool) -> Option<i64> {
    let pk = format!("T#{thing}");
    world.stack.journal.entries().into_iter().find_map(|entry| match entry.event {
        Event::Written { table, after: Some(row), .. } if table == EXECUTIONS && row["pk"]["S"] == *pk => {
            is_asked(&row).then_some(entry.at_ms - START * 1000)
        }
        _ => None,
    })
}

fn assert_settled(world: &World, thing: &str, status: &str, expected_seconds: i64) {
    let found = first_written(world, thing, |row| row["status"]["S"] == status);
    assert_punctual(thing, expected_seconds, found);
}

fn assert_punctual(what: &str, expected_seconds: i64, found: Option<i64>) {
    let found = found.unwrap_or_else(|| panic!("{what}: never, instead of at {expected_seconds} s"));
    let late = found - expected_seconds * 1000;
    assert!((0..=MAX_LATE_MS).contains(&late), "{what}: at {found} ms instead of {expected_seconds} s");
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_ttl_is_written_at_its_time() {
    for world in worlds().await {
        // In the first minute, in the next one, and where ticks look ahead.
        for ttl in [7, 59, 60, 61, 66, 120, 121, 185, 240] {
            world.command(&format!("ttl-{ttl}"), json!({"ttl": ttl})).await;
        }
        world.advance(33).await;
        world.command("later", json!({"ttl": 100})).await;
        world.advance(300).await;
        for ttl in [7, 59, 60, 61, 66, 120, 121, 185, 240] {
            assert_settled(&world, &format!("ttl-{ttl}"), "TIMED_OUT", ttl);
        }
        assert_settled(&world, "later", "TIMED_OUT", 133);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_silent_device_is_asked_three_times_within_its_ttl() {
    for world in worlds().await {
        let _silent = world.thing("silent").await;
        let retry = json!({"attempts": 3, "wait": 2, "backoff": {"base": 1, "cap": 2}});
        world.command("silent", json!({"ttl": 40, "timeout": 60, "retry": retry})).await;
        world.advance(60).await;
        let number = |row: &Value, name: &str| row[name]["N"].as_str().and_then(|number| number.parse::<i64>().ok());
        let mut before = 0;
        for attempt in 2..=3 {
            let is_attempt = |row: &Value| number(row, "attempt") == Some(attempt);
            let failed = first_written(&world, "silent", is_attempt);
            assert_punctual("the wait", before / 1000 + 2, failed);
            let planned = world.stack.journal.entries().into_iter().find_map(|entry| match entry.event {
                Event::Written { after: Some(row), .. } if is_attempt(&row) => number(&row, "next_send_at"),
                _ => None,
            });
            let planned = planned.expect("a time") - START * 1000;
            before = first_written(&world, "silent", |row| is_attempt(row) && number(row, "sent_at").is_some())
                .unwrap_or_else(|| panic!("attempt {attempt} was never sent"));
            assert!((planned..=planned + MAX_LATE_MS).contains(&before), "attempt {attempt}: {planned} {before}");
        }
        assert_settled(&world, "silent", "TIMED_OUT", 40);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_timeout_and_a_lost_heartbeat_are_written_at_their_times() {
    for world in worlds().await {
        for (thing, more) in
            [("slow", json!({"ttl": 10, "timeout": 77})), ("lost", json!({"ttl": 10, "timeout": 300, "heartbeat": 1}))]
        {
            let mut device = world.thing(thing).await;
            world.command(thing, more).await;
            let (_, request) = device.next_json().await;
            let report = json!({"executionId": request["executionId"], "status": "IN_PROGRESS"});
            for _ in 0..4 {
                device.report(thing, report.clone()).await;
                world.settle().await;
                world.advance(1).await;
            }
        }
        world.advance(120).await;
        let deadline = |row: &Value| row["heartbeat_deadline"]["N"].as_str()?.parse::<i64>().ok();
        let rows = world.rows(EXECUTIONS).await;
        let lost = rows.iter().find(|row| row["pk"]["S"] == "T#lost").expect("a row");
        let lost_at = deadline(lost).expect("a deadline") / 1000 - START;
        assert_settled(&world, "lost", "TIMED_OUT", lost_at);
        assert_settled(&world, "slow", "TIMED_OUT", 77);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fleet_starts_with_its_schedule_and_ends_with_its_ttl() {
    let at = |seconds: i64| jiff::Timestamp::from_second(START + seconds).expect("a time").to_string();
    for world in worlds().await {
        world.stack.registry.add_things("pumps", &["pump-1", "pump-2", "pump-3"]).expect("a group");
        for (name, begin) in [("soon", 25), ("later", 190)] {
            let body = json!({"name": name, "target": {"groups": ["pumps"]}, "ttl": 45, "delivery": "topic",
                "schedule": {"notBefore": at(begin)}});
            assert_eq!(world.post("/commands", &body).await.status, 202);
        }
        world.advance(300).await;
        for (name, begin) in [("soon", 25), ("later", 190)] {
            for thing in ["pump-1", "pump-2", "pump-3"] {
                let created = first_written(&world, thing, |row| row["name"]["S"] == name);
                assert_punctual(&format!("{name}, {thing}"), begin, created);
                let began = created.unwrap_or_default() / 1000;
                let is_over = |row: &Value| row["name"]["S"] == name && row["status"]["S"] == "TIMED_OUT";
                assert_punctual(&format!("end of {name}, {thing}"), began + 45, first_written(&world, thing, is_over));
            }
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_heartbeat_that_is_lost_after_a_late_start_is_written_at_its_time() {
    for world in worlds().await {
        // The first look at it comes at 15 s, and finds nothing to do; the tick at 60 s moves its entry to the end of its
        // ttl.
        for start in [30, 65] {
            for in_shadow in [false, true] {
                start_late(&world, start, in_shadow).await;
            }
        }
        world.end().await;
    }
}

/// Creates a command whose device starts this many seconds later, and is silent then.
async fn start_late(world: &World, start: i64, in_shadow: bool) {
    let thing = format!("pump-{start}-{in_shadow}");
    world.update_shadow(&thing, Some("cmd"), &json!({"reported": {"dialect": "map"}}));
    let mut device = world.thing(&thing).await;
    let delivery = if in_shadow { "shadow" } else { "topic" };
    let begin = world.stack.clock.now_ms() / 1000 - START;
    let more = json!({"delivery": delivery, "ttl": 100, "timeout": 300, "heartbeat": 5});
    let command = world.command(&thing, more).await;
    let id = world.execution(&command, &thing).await["executionId"].as_str().expect("an id").to_owned();
    world.advance(start.unsigned_abs()).await;
    let status = json!({"attempt": 1, "status": "IN_PROGRESS"});
    let state = json!({"state": {"reported": {"c": {&id: status}}}});
    match in_shadow {
        true => {
            assert!(device.publish(&format!("$aws/things/{thing}/shadow/name/cmd/update"), state.to_string()).await)
        }
        false => device.report(&thing, json!({"executionId": id, "status": "IN_PROGRESS"})).await,
    }
    world.settle().await;
    assert_eq!(world.status(&command, &thing).await.0, "IN_PROGRESS");
    world.advance(120).await;
    assert_settled(world, &thing, "TIMED_OUT", begin + start + 15);
}

/// A report is handled so late that what follows it is due by then: its function leaves that to a wake, not to a tick.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn what_a_late_report_leads_to_comes_within_two_seconds_after_it() {
    const LATE: u64 = 25;
    for world in worlds().await {
        let is_report = |function: &str| function.contains("track-command");
        world.stack.faults.events(move |event| match is_report(event.function) {
            true => Delivery::After(Duration::from_secs(LATE)),
            false => Delivery::Once,
        });
        let retry = json!({"attempts": 2, "on": ["FAILED"], "wait": 5, "backoff": {"base": 9, "cap": 9}});
        let reports = [
            ("fails", json!({"ttl": 100, "retry": retry}), json!({"status": "FAILED"})),
            ("starts", json!({"ttl": 100, "timeout": 200, "heartbeat": 1}), json!({"status": "IN_PROGRESS"})),
        ];
        for (thing, more, mut report) in reports {
            let mut device = world.thing(thing).await;
            world.command(thing, more).await;
            report["executionId"] = device.next_json().await.1["executionId"].clone();
            device.report(thing, report).await;
            world.settle().await;
        }
        world.advance(LATE).await;
        world.advance(20).await;
        let number = |row: &Value, name: &str| row[name]["N"].as_str().and_then(|number| number.parse::<i64>().ok());
        let late = i64::try_from(LATE).expect("a few seconds");
        let is_sent_again = |row: &Value| number(row, "attempt") == Some(2) && number(row, "sent_at").is_some();
        assert_punctual("the second attempt", late, first_written(&world, "fails", is_sent_again));
        assert_settled(&world, "starts", "TIMED_OUT", late);
        world.end().await;
    }
}
