//! A thing of a fleet command that has no execution: what it waits for, and what is shown once nothing follows.

use serde_json::{Value, json};

use super::operator::{control, create_with_topic, pass_seconds, show};
use crate::world::{START, World};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn thing_that_waits_is_shown_with_the_time_at_which_it_is_asked() {
    let world = World::start().await;
    let names: Vec<String> = (0..250).map(|n| format!("pump-{n:03}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let id = create_with_topic(&world, json!({"rollout": {"maximumPerMinute": 60}})).await;
    world.settle().await;
    let get = async |thing: &str| world.get(&format!("/commands/{id}/executions/{thing}?explain")).await;
    let shown = show(&world, &id).await;
    let at = |seconds: i64| jiff::Timestamp::from_second(START + seconds).expect("a time").to_string();
    let time = |shown: &Value| shown.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    assert_eq!(time(&shown["plan"]["nextReleaseAt"]), at(1).parse().ok(), "{shown:#}");
    assert_eq!(get("pump-000").await.body["status"], "CREATED");
    let waits = get("pump-249").await;
    assert_eq!((waits.status, &waits.body["status"]), (200, &json!("WAITING")), "{waits:?}");
    assert_eq!(time(&waits.body["nextAt"]), at(249).parse().ok(), "{waits:?}");
    assert!(waits.body["explanation"].as_str().is_some_and(|text| text.contains("before it: 248")), "{waits:?}");
    assert_eq!(get("pump-250").await.status, 404, "no thing of the target");
    pass_seconds(&world, 20).await;
    assert_eq!(time(&get("pump-249").await.body["nextAt"]), at(249).parse().ok(), "the time was right");
    control(&world, &id, "pause").await;
    let paused = get("pump-249").await.body;
    assert_eq!((&paused["status"], &paused["nextAt"]), (&json!("WAITING"), &Value::Null), "{paused}");
    assert_eq!(show(&world, &id).await["plan"]["nextReleaseAt"], Value::Null);
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass_seconds(&world, 2).await;
    let canceled = get("pump-249").await.body;
    assert_eq!((&canceled["status"], &canceled["nextAt"]), (&json!("NOT_ASKED"), &Value::Null), "{canceled}");
    let shown = show(&world, &id).await;
    assert_eq!((&shown["counts"]["waiting"], &shown["counts"]["notAsked"]), (&json!(0), &json!(229)), "{shown:#}");
    world.end().await;
}
