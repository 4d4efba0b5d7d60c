//! Groups that change while they are read: what was in one all the time is asked, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use local::faults::{Call, Fault};
use local::journal::Event;
use reqwest::Method;
use serde_json::{Value, json};

use super::recount::{command, miscounts, rows_of, thing_of, until};
use crate::world::World;

/// Three pages.
const THINGS: usize = 450;

fn name(n: usize) -> String {
    format!("pump-{n:03}")
}

/// A world with a group, and a fault at the n-th of these calls of the planner.
async fn world(operation: &'static str, mark: &'static str, nth: usize, fault: Fault) -> World {
    let world = World::start().await;
    let names: Vec<String> = (0..THINGS).map(name).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let seen = AtomicUsize::new(0);
    world.stack.faults.plan(move |call: &Call| {
        let about = || call.path.contains(mark) || String::from_utf8_lossy(&call.body).contains(mark);
        let is_it = call.function == "flaghoist-fan-out-command" && call.operation == operation && about();
        (is_it && seen.fetch_add(1, Ordering::Relaxed) + 1 == nth).then_some(fault)
    });
    world
}

async fn registry(world: &World, method: Method, path: &str, body: &Value) {
    let url = format!("http://{}{path}", world.stack.addresses.endpoint);
    let sent = reqwest::Client::new().request(method, url).body(body.to_string()).send().await.expect("an answer");
    let status = sent.status();
    assert!(status.is_success(), "{path}: {}", sent.text().await.unwrap_or_default());
}

async fn remove(world: &World, thing: usize) {
    let body = json!({"thingGroupName": "pumps", "thingName": name(thing)});
    registry(world, Method::PUT, "/thing-groups/removeThingFromThingGroup", &body).await;
}

/// Asks the group, which the fault meets; `change` happens before the planner goes on. How it stands in the end, and how often each thing was
/// asked.
async fn asked(world: &World, change: impl AsyncFnOnce()) -> (Value, BTreeMap<String, usize>) {
    let id = command(world, json!({"target": {"groups": ["pumps"]}, "ttl": 120, "timeout": 120})).await;
    world.stack.settle().await;
    change().await;
    let shown = until(world, &id, "COMPLETED", &[1, 2, 4, 8, 60, 60, 60, 60, 60]).await;
    assert_eq!(shown["state"], "COMPLETED", "{shown:#}");
    let rows = rows_of(world, &id).await;
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    assert_eq!(shown["counts"]["total"], rows.len(), "{shown:#}");
    let mut asked: BTreeMap<String, usize> = rows.iter().map(|row| (thing_of(row), 0)).collect();
    for entry in world.stack.journal.entries() {
        if let Event::Published { topic, .. } = &entry.event
            && let Some(thing) = topic.strip_prefix("cmd/").and_then(|topic| topic.strip_suffix("/req"))
        {
            *asked.get_mut(thing).expect("it has a row") += 1;
        }
    }
    (shown, asked)
}

fn check(asked: &BTreeMap<String, usize>, all_the_time: impl Iterator<Item = usize>) {
    let missed: Vec<_> = all_the_time.map(name).filter(|name| !asked.contains_key(name)).collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
    let wrong: Vec<_> = asked.iter().filter(|(_, times)| **times != 1).collect();
    assert!(wrong.is_empty(), "not asked once: {wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn things_come_and_go_between_two_pages() {
    let world = world("Iot.ListThingsInThingGroup", "nextToken", 1, Fault::KillBefore).await;
    let gone = [3, 199, 200, 201, 250, 449];
    let (_, asked) = asked(&world, async || {
        for thing in gone {
            remove(&world, thing).await;
        }
        let new = ["alpha", "pump-199a", "pump-200a", "zulu"];
        world.stack.registry.add_things("pumps", &new).expect("things");
    })
    .await;
    check(&asked, (0..THINGS).filter(|thing| !gone.contains(thing)));
    assert!(asked.contains_key("zulu") && asked.contains_key("pump-200a"));
    assert!(!asked.contains_key(&name(250)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn things_go_while_their_page_is_stored() {
    for (kill, nth) in [(Fault::KillBefore, 1), (Fault::KillAfter, 1), (Fault::KillAfter, 2), (Fault::KillBefore, 4)] {
        let world = world("DynamoDB.PutItem", "THINGS", nth, kill).await;
        let gone: BTreeSet<usize> = [0, 1, 2, 50, 99, 100, 150, 199, 210, 350].into();
        let (_, asked) = asked(&world, async || {
            for thing in &gone {
                remove(&world, *thing).await;
            }
            world.stack.registry.add_things("pumps", &["alpha", "pump-050a"]).expect("things");
        })
        .await;
        check(&asked, (0..THINGS).filter(|thing| !gone.contains(thing)));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_deleted_between_two_pages_is_noted() {
    let world = world("Iot.ListThingsInThingGroup", "nextToken", 1, Fault::KillBefore).await;
    let (shown, asked) = asked(&world, async || {
        registry(&world, Method::DELETE, "/thing-groups/pumps", &json!({})).await;
    })
    .await;
    check(&asked, 0..200);
    assert_eq!(asked.len(), 200);
    let notes = shown["plan"]["notes"].as_array().expect("notes");
    assert!(notes.len() == 1 && notes[0].as_str().expect("text").contains("pumps"), "{notes:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_expired_begins_the_group_again() {
    for nth in [1, 2] {
        let world = world("Iot.ListThingsInThingGroup", "nextToken", nth, Fault::StaleToken).await;
        let (_, asked) = asked(&world, async || ()).await;
        check(&asked, 0..THINGS);
        assert_eq!(asked.len(), THINGS);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_every_time_ends_in_a_note() {
    let world = world("Iot.ListThingsInThingGroup", "nextToken", 0, Fault::StaleToken).await;
    let pages = Arc::new(AtomicUsize::new(0));
    let read = pages.clone();
    world.stack.faults.plan(move |call: &Call| {
        let goes_on = call.operation == "Iot.ListThingsInThingGroup" && call.path.contains("nextToken");
        let planner = call.function == "flaghoist-fan-out-command";
        (planner && goes_on).then(|| {
            read.fetch_add(1, Ordering::Relaxed);
            Fault::StaleToken
        })
    });
    let (shown, asked) = asked(&world, async || ()).await;
    check(&asked, 0..200);
    assert_eq!((asked.len(), pages.load(Ordering::Relaxed)), (200, 4));
    let notes = shown["plan"]["notes"].as_array().expect("notes");
    assert!(notes.len() == 1 && notes[0].as_str().expect("text").contains("the group pumps"), "{notes:?}");
    world.end().await;
}
