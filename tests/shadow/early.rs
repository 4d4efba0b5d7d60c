//! Many requests in shadows that end in the same second: they leave their shadows one after another, and the first of
//! them early enough that the last is gone in time.

use std::ops::Range;

use local::journal::{Entry, Event};
use serde_json::{Value, json};

use crate::fleet::operator::{create, show};
use crate::world::{EXECUTIONS, World};

/// What leaves a shard in a second at most, and what one message brings at most.
const PER_SECOND: usize = 3;
const PER_MESSAGE: usize = 12;
/// How much a ttl in a shadow is cut short by, in seconds.
const CUT: i64 = 5;

/// A world with one shard, so that a hundred things are a backlog.
async fn world() -> World {
    let one_shard = |template: String| template.replace("DUE_SHARDS: 64", "DUE_SHARDS: 1");
    World::with_template(&[], one_shard).await
}

fn names(numbers: Range<usize>) -> Vec<String> {
    numbers.map(|n| format!("pump-{n}")).collect()
}

/// The things whose shadow `cmd` holds a request.
fn holding(world: &World, names: &[String]) -> Vec<String> {
    let holds = |name: &&String| {
        let shadow = world.stack.shadows.get(name, Some("cmd"));
        shadow.is_ok_and(|shadow| shadow["state"]["desired"]["c"].as_object().is_some_and(|all| !all.is_empty()))
    };
    names.iter().filter(holds).cloned().collect()
}

async fn explanation(world: &World, id: &str, thing: &str) -> String {
    let shown = world.get(&format!("/commands/{id}/executions/{thing}?explain=true")).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    shown.body["explanation"].to_string()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn requests_that_end_together_leave_their_shadows_one_after_another_and_in_time() {
    // The tick of a minute sees those that end in the next one; some of them begin in the minute before.
    for (wait, ttl) in [(0, 300), (7, 300), (50, 140)] {
        let world = world().await;
        world.advance(wait).await;
        let names = names(0..100);
        world.stack.registry.add_things("pumps", &names).expect("a group");
        let id = create(&world, json!({"delivery": "shadow", "shadow": "map", "ttl": ttl})).await;
        let created = world.stack.clock.now_ms() / 1000;
        world.advance(ttl - 50).await;
        assert_eq!(holding(&world, &names).len(), 100);
        // How many are left at each second before the end of the ttl.
        let (mut before, mut early) = (100, None);
        for second in ttl - 49..=ttl {
            world.advance(1).await;
            let left = holding(&world, &names);
            let gone = before - left.len();
            let to_the_end = created + ttl as i64 - world.stack.clock.now_ms() / 1000;
            assert!(gone <= PER_MESSAGE + PER_SECOND, "{gone} at once, {to_the_end} s before the end");
            if gone > 0 && early.is_none() {
                let first = names.iter().find(|name| !left.contains(name)).expect("one has left").clone();
                assert!((CUT + 34..CUT + 42).contains(&to_the_end), "the first leaves {to_the_end} s before the end");
                early = Some(first);
            }
            before = left.len();
            assert!(second < ttl || left.is_empty(), "{} are left at the end of their ttl", left.len());
        }
        // Reports that come late count, and the record says why it was withdrawn.
        let first = early.expect("one was withdrawn early");
        let told = explanation(&world, &id, &first).await;
        assert!(told.contains("s before its ttl was over"), "{told}");
        world.advance(120).await;
        let counts = &show(&world, &id).await["counts"];
        assert_eq!(
            (&counts["TIMED_OUT"], &counts["byReason"]["NO_RESPONSE"]),
            (&json!(100), &json!(100)),
            "{counts:#}"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn requests_that_are_sent_between_two_ticks_leave_in_time_although_their_ttl_is_short() {
    // They take 40 seconds, so some have to begin before the tick that follows 55 seconds after they were sent, or 57.
    for (wait, ttl) in [(5, 70), (3, 75)] {
        let world = world().await;
        world.advance(wait).await;
        let names = names(0..100);
        world.stack.registry.add_things("pumps", &names).expect("a group");
        create(&world, json!({"delivery": "shadow", "shadow": "map", "ttl": ttl})).await;
        world.advance(20).await;
        assert_eq!(holding(&world, &names).len(), 100);
        let mut before = 100;
        for _ in 20..ttl {
            world.advance(1).await;
            let left = holding(&world, &names).len();
            let gone = before - left;
            assert!(gone <= PER_MESSAGE + PER_SECOND, "{gone} of {names} at once", names = names.len());
            before = left;
        }
        assert_eq!(before, 0, "at the end of their ttl of {ttl} s");
        world.advance(120).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn only_what_waits_in_a_shadow_is_ended_early() {
    let world = world().await;
    let (all, others) = (names(0..60), names(60..100));
    world.stack.registry.add_things("pumps", &all).expect("a group");
    let mut devices = world.device("all", &["cmd/+/req"]).await;
    let id = create(&world, json!({"delivery": "shadow", "shadow": "map", "ttl": 300, "timeout": 900})).await;
    // Commands that are due in the same second, and in no shadow.
    let retry = json!({"attempts": 2, "on": ["NO_RESPONSE"], "wait": 20});
    for thing in &others {
        let body =
            json!({"name": "reboot", "target": {"things": [thing]}, "delivery": "topic", "ttl": 295, "retry": retry});
        assert_eq!(world.post("/commands", &body).await.status, 202);
    }
    world.advance(10).await;
    while devices.try_next().is_some() {}
    // One has begun, and one has ended.
    let execution = |rows: &[Value], thing: &str| {
        let of_thing = |row: &&Value| row["pk"]["S"] == format!("T#{thing}");
        let sk = rows.iter().find(of_thing).expect("a row")["sk"]["S"].as_str().expect("a key").to_owned();
        sk.trim_start_matches("E#").to_owned()
    };
    let rows = world.rows(EXECUTIONS).await;
    devices.report("pump-1", json!({"executionId": execution(&rows, "pump-1"), "status": "IN_PROGRESS"})).await;
    devices.report("pump-2", json!({"executionId": execution(&rows, "pump-2"), "status": "SUCCEEDED"})).await;
    world.advance(284).await;
    for row in world.rows(EXECUTIONS).await.iter().filter(|row| row["channel"]["S"] == "topic") {
        assert_eq!(row["status"]["S"], "CREATED", "a second before its end: {row:#}");
    }
    let left = holding(&world, &all);
    assert!((1..58).contains(&left.len()), "a second before their end some are left, and others gone: {left:?}");
    assert!(left.contains(&"pump-1".to_owned()), "its device has begun");
    // A device that comes back finds nothing, or what it may still begin; a report of one that was withdrawn counts.
    let withdrawn = all.iter().find(|name| !left.contains(name) && *name != "pump-2").expect("one was withdrawn");
    devices.report(withdrawn, json!({"executionId": execution(&rows, withdrawn), "status": "SUCCEEDED"})).await;
    world.settle().await;
    world.advance(6).await;
    assert_eq!(holding(&world, &all), ["pump-1"]);
    let shown = world.get(&format!("/commands/{id}/executions/{withdrawn}")).await.body;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)), "{shown:#}");
    let shown = world.get(&format!("/commands/{id}/executions/pump-1")).await.body;
    assert_eq!(shown["status"], "IN_PROGRESS", "{shown:#}");
    world.advance(1_000).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn requests_that_end_together_are_looked_at_once_each() {
    let world = world().await;
    // Of two batches, whose functions write entries for the same second.
    let names = names(0..120);
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let before = world.stack.sqs.sent("flaghoist-ticks");
    create(&world, json!({"delivery": "shadow", "shadow": "map", "ttl": 60})).await;
    world.settle().await;
    let messages = world.stack.sqs.sent("flaghoist-ticks") - before;
    assert!((120..=124).contains(&messages), "one for each, and those of the batches: {messages}");
    world.advance(55).await;
    world.advance(4).await;
    assert_eq!(holding(&world, &names), [""; 0]);
    assert_withdrawn_once(&world, 120);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn two_commands_whose_looks_come_shortly_after_another_are_withdrawn_once() {
    let world = world().await;
    let names = names(0..60);
    world.stack.registry.add_things("pumps", &names).expect("a group");
    for name in ["reboot", "measure"] {
        create(&world, json!({"name": name, "delivery": "shadow", "shadow": "map", "ttl": 75})).await;
        world.advance(2).await;
    }
    for _ in 0..76 {
        world.advance(1).await;
    }
    assert_eq!(holding(&world, &names), [""; 0]);
    assert_withdrawn_once(&world, 120);
    world.end().await;
}

/// Checks that this many requests were withdrawn with a read and a write of a shadow each, but for one in twenty: the
/// message that withdraws it early may arrive in the second in which its own wake does.
fn assert_withdrawn_once(world: &World, requests: usize) {
    let of_reconciler = |operation| calls(world, "flaghoist-reconcile-commands", operation);
    let [reads, writes] = ["IotData.GetThingShadow", "IotData.UpdateThingShadow"].map(of_reconciler);
    let once = requests..=requests + requests / 20;
    assert!(once.contains(&reads) && once.contains(&writes), "{reads} reads and {writes} writes");
}

/// How many calls of an operation a function has made.
fn calls(world: &World, function: &str, operation: &str) -> usize {
    let is_meant = |entry: &&Entry| {
        let is_call = matches!(&entry.event, Event::Called { operation: called, .. } if called == operation);
        is_call && entry.origin.as_ref().is_some_and(|origin| origin.function == function)
    };
    world.stack.journal.entries().iter().filter(is_meant).count()
}
