//! Targets: nested groups, queries and long lists reach each thing once, and no excluded one.

use std::collections::BTreeSet;
use std::ops::Range;

use local::faults::Fault;
use serde_json::{Value, json};

use super::operator::{advance_until_state, create_with_topic, show};
use super::recount::{miscounts, rows_of, thing_of};
use crate::world::World;

fn names(prefix: &str, numbers: Range<usize>) -> Vec<String> {
    numbers.map(|n| format!("{prefix}-{n:04}")).collect()
}

/// Creates a command for a target; the things of its executions, and its id.
async fn things_of_target(world: &World, target: Value) -> (BTreeSet<String>, String) {
    let id = create_with_topic(world, json!({"target": target, "ttl": 60, "timeout": 60})).await;
    world.settle().await;
    let rows = rows_of(world, &id).await;
    let things: BTreeSet<String> = rows.iter().map(thing_of).collect();
    assert_eq!(things.len(), rows.len(), "a thing has two executions");
    (things, id)
}

fn assert_same_things(things: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let differing: Vec<_> = expected.symmetric_difference(things).take(9).collect();
    assert!(differing.is_empty(), "missing or not expected, the first ones: {differing:?}");
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn nested_groups_and_queries_reach_each_thing_once() {
    let world = World::start().await;
    let registry = &world.stack.registry;
    registry.add_group("site", None).expect("the group is valid");
    registry.add_group("hall", Some("site")).expect("the group is valid");
    registry.add_things("site", &names("door", 0..20)).expect("the group is valid");
    registry.add_things("hall", &names("lamp", 0..30)).expect("the group is valid");
    registry.add_things("pumps", &names("pump", 0..530)).expect("the group is valid");
    // The token of the search expires once.
    let mut is_injected = false;
    world.stack.faults.plan(move |call| {
        let is_search = call.function == "flaghoist-fan-out-command" && call.operation == "Iot.SearchIndex";
        let has_token = is_search && String::from_utf8_lossy(&call.body).contains("nextToken");
        let is_first = has_token && !is_injected;
        is_injected |= has_token;
        is_first.then_some(Fault::StaleToken)
    });
    let target = json!({
        "groups": ["site", "hall"], "query": "thingName:pump-* OR thingName:lamp-*", "things": ["door-0003", "valve-1"],
        "exclude": ["door-0004", "lamp-0005", "pump-0006", "pump-0523"],
    });
    let (things, id) = things_of_target(&world, target).await;
    let mut expected: BTreeSet<String> = names("door", 0..20).into_iter().collect();
    expected.extend(names("lamp", 0..30));
    expected.extend(names("pump", 0..530));
    expected.insert("valve-1".to_owned());
    for excluded in ["door-0004", "lamp-0005", "pump-0006", "pump-0523"] {
        expected.remove(excluded);
    }
    assert_same_things(&things, &expected);
    let shown = advance_until_state(&world, &id, "COMPLETED", &[60; 6]).await;
    assert_eq!((&shown["state"], &shown["counts"]["total"]), (&json!("COMPLETED"), &json!(things.len())), "{shown:#}");
    assert_eq!(miscounts(&shown, &rows_of(&world, &id).await), [""; 0]);
    world.end().await;
}

/// One page of a command's executions: the things, and the token of the next page.
async fn list_page(world: &World, id: &str, query: &str) -> (Vec<String>, Option<String>) {
    let response = world.get(&format!("/commands/{id}/executions?{query}")).await;
    assert_eq!(response.status, 200, "{query}: {response:?}");
    let executions = response.body["executions"].as_array().expect("the response has executions").iter();
    let things = executions.map(|shown| shown["thing"].as_str().expect("an execution has a thing").to_owned());
    (things.collect(), response.body["nextToken"].as_str().map(str::to_owned))
}

/// All pages of a command's executions: the things, and the number of pages.
async fn list_all(world: &World, id: &str, filter: &str) -> (Vec<String>, usize) {
    let (mut things, mut pages, mut token) = (Vec::new(), 0, None::<String>);
    loop {
        let next = token.map(|token| format!("&nextToken={token}")).unwrap_or_default();
        let (more, after) = list_page(world, id, &format!("limit=100{filter}{next}")).await;
        things.extend(more);
        pages += 1;
        match after {
            Some(after) => token = Some(after),
            None => return (things, pages),
        }
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn long_list_is_sent_completely_and_listed_by_status() {
    let world = World::start().await;
    let (listed, excluded) = (names("pump", 0..3_400), names("pump", 2_100..3_250));
    let (things, id) = things_of_target(&world, json!({"things": listed, "exclude": excluded})).await;
    let expected: BTreeSet<String> = names("pump", 0..2_100).into_iter().chain(names("pump", 3_250..3_400)).collect();
    assert_same_things(&things, &expected);
    let (found, _) = list_all(&world, &id, "").await;
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (expected.len(), expected));
    let rows = rows_of(&world, &id).await;
    let last = names("pump", 3_398..3_400);
    for row in rows.iter().filter(|row| last.contains(&thing_of(row))) {
        let (thing, execution) = (thing_of(row), row["sk"]["S"].as_str().and_then(|sk| sk.strip_prefix("E#")));
        let mut device = world.thing(&thing).await;
        device.report(&thing, json!({"executionId": execution, "status": "SUCCEEDED"})).await;
    }
    world.settle().await;
    // Both are in the last batch, so the list has to pass all batches before.
    let (found, pages) = list_all(&world, &id, "&status=SUCCEEDED").await;
    assert_eq!(found, last);
    assert!(pages > 1, "one request reads a limited number of batches");
    world.advance(3).await;
    assert_eq!(show(&world, &id).await["counts"]["SUCCEEDED"], 2);
    world.end().await;
}
