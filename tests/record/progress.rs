//! Progress of a running execution: what its device reports beside IN_PROGRESS is kept and shown.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn interim_results_are_kept_and_shown() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let mut report = async |seconds: u64, mut body: Value| {
        world.advance(seconds).await;
        body["executionId"] = request["executionId"].clone();
        pump.report("pump-7", body).await;
        world.settle().await;
        world.execution(&command, "pump-7").await["progress"].clone()
    };
    assert_eq!(report(1, json!({"status": "IN_PROGRESS"})).await, Value::Null);
    let first = report(1, json!({"status": "IN_PROGRESS", "result": {"done": "10 %"}})).await;
    assert_eq!(first, json!({"at": world.now(), "attempt": 1, "result": {"done": "10 %"}}));
    let reason = json!({"reasonCode": "WARMING", "reasonDescription": "8 of 60 °C"});
    let second = report(1, json!({"status": "IN_PROGRESS", "seq": 1, "statusReason": reason})).await;
    assert_eq!(
        second,
        json!({"at": world.now(), "attempt": 1, "reason": "WARMING", "reasonDescription": "8 of 60 °C"})
    );
    assert_eq!(report(1, json!({"status": "IN_PROGRESS", "seq": 2})).await, second, "a plain heartbeat");
    assert_eq!(report(1, json!({"status": "IN_PROGRESS", "seq": 1, "result": 1})).await, second, "an older one");
    let long = report(1, json!({"status": "IN_PROGRESS", "seq": 3, "result": "x".repeat(2000)})).await;
    assert_eq!((&long["resultCut"], long["result"].as_str().map(str::len)), (&json!(true), Some(1024)));
    let at_the_end = report(1, json!({"status": "SUCCEEDED", "result": {"done": "all"}})).await;
    assert_eq!(at_the_end, long, "the result of the end is another member");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn interim_result_in_a_shadow_is_kept_once() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"delivery": "shadow"})).await;
    let id = world.execution(&command, "pump-7").await["executionId"].as_str().expect("an id").to_owned();
    let mut shown = Vec::new();
    for (seconds, result) in [(1, json!({"done": 1})), (1, json!({"done": 2})), (1, json!({"done": 2}))] {
        world.advance(seconds).await;
        let entry = json!({"reported": {"c": {&id: {"status": "IN_PROGRESS", "result": result}}, "at": world.now()}});
        world.update_shadow("pump-7", Some("cmd"), &entry);
        world.settle().await;
        shown.push(world.execution(&command, "pump-7").await["progress"].clone());
    }
    assert_eq!((&shown[0]["result"], &shown[1]["result"]), (&json!({"done": 1}), &json!({"done": 2})));
    assert_eq!(shown[2], shown[1], "the device wrote its shadow again, and says nothing new");
    world.cancel(&command, true).await;
    world.end().await;
}
