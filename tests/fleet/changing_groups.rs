//! Groups that change while their target is read: every thing that was a member all the time gets exactly one request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use local::faults::{Call, Fault};
use local::journal::Event;
use reqwest::Method;
use serde_json::{Value, json};

use super::operator::{advance_until_state, create_with_topic};
use super::recount::{miscounts, rows_of, thing_of};
use crate::world::World;

/// Members of the group: three pages.
const THINGS: usize = 450;

/// Members on one page.
const PAGE: usize = 200;

const LIST: &str = "Iot.ListThingsInThingGroup";

fn name(n: usize) -> String {
    format!("pump-{n:03}")
}

/// A world with the group `pumps`. fan-out-command gets the fault at its `nth` call of the operation whose path or body
/// contains `part`.
async fn world_with_fault(operation: &'static str, part: &'static str, nth: usize, fault: Fault) -> World {
    let world = World::start().await;
    let names: Vec<String> = (0..THINGS).map(name).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let matching_calls = AtomicUsize::new(0);
    world.stack.faults.plan(move |call: &Call| {
        let has_part = || call.path.contains(part) || String::from_utf8_lossy(&call.body).contains(part);
        let is_match = call.function == "flaghoist-fan-out-command" && call.operation == operation && has_part();
        (is_match && matching_calls.fetch_add(1, Ordering::Relaxed) + 1 == nth).then_some(fault)
    });
    world
}

/// Calls the registry's own API, as an operator does.
async fn call_registry(world: &World, method: Method, path: &str, body: &Value) {
    let url = format!("http://{}{path}", world.stack.addresses.endpoint);
    let request = reqwest::Client::new().request(method, url).body(body.to_string());
    let response = request.send().await.expect("the registry responds");
    let status = response.status();
    assert!(status.is_success(), "{path}: {}", response.text().await.unwrap_or_default());
}

async fn remove_from_group(world: &World, thing: usize) {
    let body = json!({"thingGroupName": "pumps", "thingName": name(thing)});
    call_registry(world, Method::PUT, "/thing-groups/removeThingFromThingGroup", &body).await;
}

/// Creates a command for the group, and lets `change` happen after the planned fault; the command at its end, and the
/// number of requests to each thing.
async fn run_command(world: &World, change: impl AsyncFnOnce()) -> (Value, BTreeMap<String, usize>) {
    let id = create_with_topic(world, json!({"ttl": 120, "timeout": 120})).await;
    world.settle().await;
    change().await;
    let shown = advance_until_state(world, &id, "COMPLETED", &[1, 2, 4, 8, 60, 60, 60, 60, 60]).await;
    assert_eq!(shown["state"], "COMPLETED", "{shown:#}");
    let rows = rows_of(world, &id).await;
    assert_eq!(miscounts(&shown, &rows), [""; 0]);
    assert_eq!(shown["counts"]["total"], rows.len(), "{shown:#}");
    let mut requests: BTreeMap<String, usize> = rows.iter().map(|row| (thing_of(row), 0)).collect();
    for entry in world.stack.journal.entries() {
        if let Event::Published { topic, .. } = &entry.event
            && let Some(thing) = topic.strip_prefix("cmd/").and_then(|topic| topic.strip_suffix("/req"))
        {
            *requests.get_mut(thing).unwrap_or_else(|| panic!("{thing} got a request and has no row")) += 1;
        }
    }
    (shown, requests)
}

/// Asserts that these things, and perhaps others, got one request each.
fn assert_one_request_each(requests: &BTreeMap<String, usize>, permanent_members: impl Iterator<Item = usize>) {
    let missing: Vec<_> = permanent_members.map(name).filter(|name| !requests.contains_key(name)).collect();
    assert!(missing.is_empty(), "without an execution: {missing:?}");
    let wrong: Vec<_> = requests.iter().filter(|(_, count)| **count != 1).collect();
    assert!(wrong.is_empty(), "not exactly one request: {wrong:?}");
}

/// Asserts that the command has one note, which contains a text.
fn assert_note(shown: &Value, text: &str) {
    let notes = shown["plan"]["notes"].as_array().expect("the plan has notes");
    assert!(notes.len() == 1 && notes[0].as_str().is_some_and(|note| note.contains(text)), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn members_that_change_between_two_pages_do_not_affect_the_others() {
    let world = world_with_fault(LIST, "nextToken", 1, Fault::KillBefore).await;
    let removed = [3, 199, 200, 201, 250, 449];
    let (_, requests) = run_command(&world, async || {
        for thing in removed {
            remove_from_group(&world, thing).await;
        }
        let added = ["alpha", "pump-199a", "pump-200a", "zulu"];
        world.stack.registry.add_things("pumps", &added).expect("the group is valid");
    })
    .await;
    assert_one_request_each(&requests, (0..THINGS).filter(|thing| !removed.contains(thing)));
    assert!(requests.contains_key("zulu") && requests.contains_key("pump-200a"), "added on a page that was not read");
    assert!(!requests.contains_key(&name(250)), "removed from a page that was not read");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn members_that_leave_while_their_page_is_stored_do_not_affect_the_others() {
    for (fault, nth) in [(Fault::KillBefore, 1), (Fault::KillAfter, 1), (Fault::KillAfter, 2), (Fault::KillBefore, 4)] {
        let world = world_with_fault("DynamoDB.PutItem", "THINGS", nth, fault).await;
        let removed: BTreeSet<usize> = [0, 1, 2, 50, 99, 100, 150, 199, 210, 350].into();
        let (_, requests) = run_command(&world, async || {
            for thing in &removed {
                remove_from_group(&world, *thing).await;
            }
            world.stack.registry.add_things("pumps", &["alpha", "pump-050a"]).expect("the group is valid");
        })
        .await;
        assert_one_request_each(&requests, (0..THINGS).filter(|thing| !removed.contains(thing)));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn group_that_is_deleted_between_two_pages_is_noted() {
    let world = world_with_fault(LIST, "nextToken", 1, Fault::KillBefore).await;
    let (shown, requests) = run_command(&world, async || {
        call_registry(&world, Method::DELETE, "/thing-groups/pumps", &json!({})).await;
    })
    .await;
    assert_one_request_each(&requests, 0..PAGE);
    assert_eq!(requests.len(), PAGE);
    assert_note(&shown, "pumps");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn expired_token_restarts_the_group() {
    for nth in [1, 2] {
        let world = world_with_fault(LIST, "nextToken", nth, Fault::StaleToken).await;
        let (_, requests) = run_command(&world, async || ()).await;
        assert_one_request_each(&requests, 0..THINGS);
        assert_eq!(requests.len(), THINGS);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn token_that_always_expires_ends_in_a_note() {
    // No call is number 0: the closure below injects the faults.
    let world = world_with_fault(LIST, "nextToken", 0, Fault::StaleToken).await;
    let next_pages = Arc::new(AtomicUsize::new(0));
    let count = next_pages.clone();
    world.stack.faults.plan(move |call: &Call| {
        let is_next_page = call.operation == LIST && call.path.contains("nextToken");
        (is_next_page && call.function == "flaghoist-fan-out-command").then(|| {
            count.fetch_add(1, Ordering::Relaxed);
            Fault::StaleToken
        })
    });
    let (shown, requests) = run_command(&world, async || ()).await;
    assert_one_request_each(&requests, 0..PAGE);
    assert_eq!((requests.len(), next_pages.load(Ordering::Relaxed)), (PAGE, 4));
    assert_note(&shown, "the group pumps");
    world.end().await;
}
