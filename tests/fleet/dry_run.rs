//! What a command would mean, how long it would take and what it would cost, with nothing stored and nobody asked.

use serde_json::{Value, json};

use crate::world::{COMMANDS, World};

async fn dry_run(world: &World, more: Value) -> Value {
    let mut body = json!({"name": "reboot", "dryRun": true});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = world.post("/commands", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_come_of_it_and_stores_nothing() {
    let world = World::start().await;
    let registry = &world.stack.registry;
    let pumps: Vec<String> = (0..300).map(|n| format!("pump-{n:03}")).collect();
    registry.add_things("pumps", &pumps).expect("a group");
    registry.add_things("old", &pumps[250..]).expect("a group");
    let target =
        json!({"things": ["valve-1", "pump-000"], "groups": ["pumps", "old"], "exclude": ["pump-001", "nobody"]});
    let shown = dry_run(&world, json!({"target": target})).await;
    assert_eq!((&shown["target"]["count"], &shown["target"]["complete"]), (&json!(300), &json!(true)), "{shown}");
    let sample = shown["target"]["sample"].as_array().expect("a list");
    assert_eq!((sample.len(), &sample[0], &sample[2]), (10, &json!("valve-1"), &json!("pump-002")), "{shown}");
    assert_eq!(shown["duration"], json!({"seconds": 1, "assumes": ["DEFAULT_QUOTAS"]}));
    assert_eq!(shown["cost"]["perMillionThings"], 6.463);
    assert_eq!(shown["cost"]["total"], 0.001_939);
    assert_eq!(shown["cost"]["items"]["messages"], 0.0012);

    let slow = json!({"target": {"groups": ["pumps"]}, "rollout": {"maximumPerMinute": 10, "canary": {"things": 5}}});
    let shown = dry_run(&world, slow).await;
    assert_eq!(shown["duration"]["assumes"], json!(["GATES_OPEN_AT_ONCE"]));
    let seconds = shown["duration"]["seconds"].as_u64().expect("seconds");
    assert!((1790..=1800).contains(&seconds), "{shown}");
    let one = dry_run(&world, json!({"target": {"things": ["pump-7"]}})).await;
    assert_eq!(one["target"], json!({"count": 1, "complete": true, "sample": ["pump-7"]}));
    let found = dry_run(&world, json!({"target": {"query": "thingName:pump-29*"}})).await;
    assert_eq!(found["target"]["count"], 10, "{found}");

    world.stack.settle().await;
    assert!(world.rows(COMMANDS).await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_fleet_is_counted_as_far_as_a_request_has_time() {
    let world = World::start().await;
    let many: Vec<String> = (0..20_600).map(|n| format!("pump-{n:05}")).collect();
    world.stack.registry.add_things("pumps", &many).expect("a group");
    let shown = dry_run(&world, json!({"target": {"groups": ["pumps"]}})).await;
    assert_eq!(shown["target"]["complete"], false, "{shown}");
    let count = shown["target"]["count"].as_u64().expect("a number");
    assert!((1..=20_250).contains(&count), "{shown}");
    world.end().await;
}
