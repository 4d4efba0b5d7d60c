//! A dry run estimates the things, the duration and the cost of a command, stores nothing, and sends nothing.

use serde_json::{Value, json};

use crate::world::{COMMANDS, World};

async fn dry_run(world: &World, members: Value) -> Value {
    let mut body = json!({"name": "reboot", "dryRun": true});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    let response = world.post("/commands", &body).await;
    assert_eq!(response.status, 200, "{response:?}");
    response.body
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn dry_run_estimates_target_duration_and_cost_and_stores_nothing() {
    let world = World::start().await;
    let registry = &world.stack.registry;
    let pumps: Vec<String> = (0..300).map(|n| format!("pump-{n:03}")).collect();
    registry.add_things("pumps", &pumps).expect("the group is valid");
    registry.add_things("old", &pumps[250..]).expect("the group is valid");
    let target =
        json!({"things": ["valve-1", "pump-000"], "groups": ["pumps", "old"], "exclude": ["pump-001", "nobody"]});
    let estimate = dry_run(&world, json!({"target": target})).await;
    let shown = &estimate["target"];
    assert_eq!((&shown["count"], &shown["complete"]), (&json!(300), &json!(true)), "{estimate}");
    let sample = shown["sample"].as_array().expect("the target has a sample");
    assert_eq!((sample.len(), &sample[0], &sample[2]), (10, &json!("valve-1"), &json!("pump-002")), "{estimate}");
    assert_eq!(estimate["duration"], json!({"seconds": 1, "assumes": ["DEFAULT_QUOTAS"]}));
    assert_eq!(estimate["cost"]["perMillionThings"], 6.463);
    assert_eq!(estimate["cost"]["total"], 0.001_939);
    assert_eq!(estimate["cost"]["items"]["messages"], 0.0012);

    let slow = json!({"target": {"groups": ["pumps"]}, "rollout": {"maximumPerMinute": 10, "canary": {"things": 5}}});
    let estimate = dry_run(&world, slow).await;
    assert_eq!(estimate["duration"]["assumes"], json!(["GATES_OPEN_AT_ONCE"]));
    let seconds = estimate["duration"]["seconds"].as_u64().expect("the duration is in seconds");
    assert!((1790..=1800).contains(&seconds), "{estimate}");
    let single = dry_run(&world, json!({"target": {"things": ["pump-7"]}})).await;
    assert_eq!(single["target"], json!({"count": 1, "complete": true, "sample": ["pump-7"]}));
    let by_query = dry_run(&world, json!({"target": {"query": "thingName:pump-29*"}})).await;
    assert_eq!(by_query["target"]["count"], 10, "{by_query}");

    world.settle().await;
    assert!(world.rows(COMMANDS).await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn large_target_is_counted_only_within_the_time_of_a_request() {
    let world = World::start().await;
    let names: Vec<String> = (0..20_600).map(|n| format!("pump-{n:05}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let estimate = dry_run(&world, json!({"target": {"groups": ["pumps"]}})).await;
    assert_eq!(estimate["target"]["complete"], false, "{estimate}");
    let count = estimate["target"]["count"].as_u64().expect("the target has a count");
    assert!((1..=20_250).contains(&count), "{estimate}");
    world.end().await;
}
