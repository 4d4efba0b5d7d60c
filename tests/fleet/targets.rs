//! Whom a target means: groups within groups, what a query finds, long lists; everything once, and without those that are left out.

use std::collections::BTreeSet;

use local::faults::Fault;
use serde_json::{Value, json};

use super::recount::{command, miscounts, rows_of, stands, thing_of, until};
use crate::world::World;

fn names(prefix: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|n| format!("{prefix}-{n:04}")).collect()
}

/// Commands a target; whose executions there are then, and the command.
async fn asked(world: &World, target: Value) -> (BTreeSet<String>, String) {
    let id = command(world, json!({"target": target, "ttl": 60, "timeout": 60})).await;
    world.stack.settle().await;
    let rows = rows_of(world, &id).await;
    let things: BTreeSet<String> = rows.iter().map(thing_of).collect();
    assert_eq!(things.len(), rows.len(), "a thing has two executions");
    (things, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_within_groups_and_what_a_query_finds_are_asked_once() {
    let world = World::start().await;
    let registry = &world.stack.registry;
    registry.add_group("site", None).expect("a group");
    registry.add_group("hall", Some("site")).expect("a group");
    registry.add_things("site", &names("door", 0..20)).expect("things");
    registry.add_things("hall", &names("lamp", 0..30)).expect("things");
    registry.add_things("pumps", &names("pump", 0..530)).expect("things");
    // The search goes on from a page whose token is not good any more, once.
    let mut met = false;
    world.stack.faults.plan(move |call| {
        let planner = call.function == "flaghoist-fan-out-command" && call.operation == "Iot.SearchIndex";
        let goes_on = planner && String::from_utf8_lossy(&call.body).contains("nextToken");
        let first = goes_on && !met;
        met |= goes_on;
        first.then_some(Fault::StaleToken)
    });
    let target = json!({
        "groups": ["site", "hall"], "query": "thingName:pump-* OR thingName:lamp-*", "things": ["door-0003", "valve-1"],
        "exclude": ["door-0004", "lamp-0005", "pump-0006", "pump-0523"],
    });
    let (things, id) = asked(&world, target).await;
    let mut expected: BTreeSet<String> = names("door", 0..20).into_iter().collect();
    expected.extend(names("lamp", 0..30));
    expected.extend(names("pump", 0..530));
    expected.insert("valve-1".to_owned());
    for excluded in ["door-0004", "lamp-0005", "pump-0006", "pump-0523"] {
        expected.remove(excluded);
    }
    assert!(things == expected, "missed: {:?}", expected.symmetric_difference(&things).take(9).collect::<Vec<_>>());
    let shown = until(&world, &id, "COMPLETED", &[60; 6]).await;
    assert_eq!((&shown["state"], &shown["counts"]["total"]), (&json!("COMPLETED"), &json!(things.len())), "{shown:#}");
    assert_eq!(miscounts(&shown, &rows_of(&world, &id).await), [""; 0]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_asked_as_a_whole_and_listed_by_status() {
    let world = World::start().await;
    let (listed, excluded) = (names("pump", 0..3_400), names("pump", 2_100..3_250));
    let (things, id) = asked(&world, json!({"things": listed, "exclude": excluded})).await;
    let expected: BTreeSet<String> = names("pump", 0..2_100).into_iter().chain(names("pump", 3_250..3_400)).collect();
    assert!(things == expected, "missed: {:?}", expected.symmetric_difference(&things).take(9).collect::<Vec<_>>());
    // Whoever asks for those that have succeeded, in the last batch, looks through all others.
    let list = async |query: String| {
        let answer = world.get(&format!("/commands/{id}/executions?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let shown = answer.body["executions"].as_array().expect("a list").iter();
        let found: Vec<String> = shown.map(|row| row["thing"].as_str().expect("a name").to_owned()).collect();
        (found, answer.body["nextToken"].as_str().map(str::to_owned))
    };
    let all = async |filter: &str| {
        let (mut found, mut pages, mut token) = (Vec::new(), 0, None::<String>);
        loop {
            let next = token.map(|token| format!("&nextToken={token}")).unwrap_or_default();
            let (more, after) = list(format!("limit=100{filter}{next}")).await;
            found.extend(more);
            pages += 1;
            match after {
                Some(after) => token = Some(after),
                None => return (found, pages),
            }
        }
    };
    let (found, _) = all("").await;
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (expected.len(), expected));
    let rows = rows_of(&world, &id).await;
    let last = names("pump", 3_398..3_400);
    for row in rows.iter().filter(|row| last.contains(&thing_of(row))) {
        let (thing, execution) = (thing_of(row), row["sk"]["S"].as_str().and_then(|sk| sk.strip_prefix("E#")));
        let mut device = world.thing(&thing).await;
        device.report(&thing, json!({"executionId": execution, "status": "SUCCEEDED"})).await;
    }
    world.stack.settle().await;
    let (found, pages) = all("&status=SUCCEEDED").await;
    assert_eq!(found, last);
    assert!(pages > 1, "a request looks at so many only");
    world.advance(3).await;
    assert_eq!(stands(&world, &id).await["counts"]["SUCCEEDED"], 2);
    world.end().await;
}
