//! A fleet is asked when its schedule says so: not before, not after, and only while its window is open.

use device::fleet::Knobs;
use local::faults::Fault;
use serde_json::{Value, json};

use super::operator::{ask, begun, count, pass, shown, state, things, ticking, until_state};
use crate::world::{EXECUTIONS, START, World};

/// The world's time so many seconds after its beginning.
fn at(seconds: i64) -> String {
    jiff::Timestamp::from_second(START + seconds).expect("a time").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_out_before_its_time() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 120, Knobs::default()).await;
    let id = ask(&world, json!({"ttl": 40, "schedule": {"notBefore": at(250)}})).await;
    pass(&world, 5).await;
    let early = shown(&world, &id).await;
    assert_eq!((early["state"].as_str(), early["counts"]["waiting"].as_u64()), (Some("SCHEDULED"), Some(120)));
    pass(&world, 244).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("SCHEDULED", 0));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    pass(&world, 52).await;
    assert_eq!(fleet.stats().requests, 120, "a tick later at most");
    let done = until_state(&world, &id, 10, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 120, "its ttl counts from then");
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_off_before_its_time_never_goes_out() {
    let world = World::start().await;
    let fleet = things(&world, "pump", 5, Knobs::default()).await;
    let id = ask(&world, json!({"schedule": {"notBefore": at(100)}})).await;
    pass(&world, 5).await;
    assert_eq!(world.cancel(&id, false).await.status, 200);
    pass(&world, 200).await;
    assert_eq!((state(&world, &id).await.as_str(), fleet.stats().requests), ("CANCELED", 0));
    assert_eq!(world.rows(EXECUTIONS).await.len(), 0);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_out_in_time_is_never_asked() {
    let world = ticking("10").await;
    let fleet = things(&world, "pump", 60, Knobs::default()).await;
    let schedule = json!({"notAfter": at(60 + 65)});
    let id = ask(&world, json!({"rollout": {"maximumPerMinute": 30}, "schedule": schedule})).await;
    pass(&world, 64).await;
    let asked = fleet.stats().requests;
    assert!((30..=40).contains(&asked), "{asked}");
    let done = until_state(&world, &id, 20, "COMPLETED").await;
    let waiting = 60 - asked;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["waiting"]), (&json!(asked), &json!(waiting)));
    let note = format!("the schedule has ended, and {waiting} things are not asked");
    assert_eq!(done["plan"]["notes"], json!([note]));
    pass(&world, 130).await;
    assert_eq!(fleet.stats().requests, asked);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_let_go_by_someone_who_died_counts_when_the_time_is_over() {
    let world = ticking("10").await;
    let fleet = things(&world, "pump", 250, Knobs::default()).await;
    // Whoever has let go of a batch can't write so.
    world.stack.faults.plan(|call| {
        let body = String::from_utf8_lossy(&call.body);
        let plan = call.operation == "DynamoDB.PutItem" && body.contains(r#""sk":{"S":"PLAN"}"#);
        let lets_go = plan && body.contains(r#""released":{"N":"1"#);
        (call.function == "flaghoist-fan-out-command" && lets_go).then_some(Fault::Unavailable)
    });
    let schedule = json!({"notAfter": at(60 + 65)});
    let rollout = json!({"maximumPerMinute": 720});
    let id = ask(&world, json!({"rollout": rollout, "schedule": schedule})).await;
    pass(&world, 80).await;
    let asked = fleet.stats().requests;
    assert!((120..130).contains(&asked), "{asked}: a tick's worth, again and again");
    world.stack.faults.clear();
    let done = until_state(&world, &id, 180, "COMPLETED").await;
    assert_eq!((&done["counts"]["SUCCEEDED"], &done["counts"]["waiting"]), (&json!(asked), &json!(250 - asked)));
    assert_eq!(
        done["plan"]["notes"],
        json!([format!("the schedule has ended, and {} things are not asked", 250 - asked)])
    );
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_closes_and_opens_again_the_next_day() {
    // It begins at 8 in the morning, UTC.
    let world = World::start().await;
    let names: Vec<String> = (0..90).map(|n| format!("pump-{n}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let window = json!({"start": "10:02", "end": "10:04", "offset": "+02:00"});
    let body = json!({"delivery": "topic", "rollout": {"maximumPerMinute": 30}, "schedule": {"window": window}});
    let id = ask(&world, body).await;
    world.advance(119).await;
    assert_eq!(state(&world, &id).await, "SCHEDULED");
    let out = async |world: &World| 90 - count(world, &id, "waiting").await;
    world.advance(2).await;
    pass(&world, 2).await;
    assert_eq!(out(&world).await, 30, "a tick's worth as it opens");
    world.advance(3600).await;
    let first = out(&world).await;
    assert!((45..=60).contains(&first), "{first}");
    let last =
        |rows: &[Value]| rows.iter().filter_map(|row| row["created_at"]["N"].as_str()?.parse::<i64>().ok()).max();
    let before = last(&world.rows(EXECUTIONS).await).expect("some");
    assert!(before < (START + 240) * 1000, "{before}");
    assert_eq!(state(&world, &id).await, "IN_PROGRESS");
    world.advance(86_400 - 3600 - 10).await;
    assert_eq!(out(&world).await, first, "not before it opens again");
    world.advance(300).await;
    assert_eq!(out(&world).await, 90);
    let rows = world.rows(EXECUTIONS).await;
    let within = |at: i64| (START + 120..START + 240).contains(&((at / 1000 - START) % 86_400 + START));
    assert!(rows.iter().all(|row| within(row["created_at"]["N"].as_str().expect("a number").parse().expect("one"))));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_in_a_window_may_answer_after_it() {
    let world = ticking("10").await;
    let slow = things(&world, "pump", 4, Knobs { slow: 1.0, ..Knobs::default() }).await;
    let schedule = json!({"notAfter": at(62)});
    let id = ask(&world, json!({"schedule": schedule})).await;
    let done = until_state(&world, &id, 20, "COMPLETED").await;
    assert_eq!(done["counts"]["SUCCEEDED"], 4);
    assert_eq!(begun(&slow).len(), 4);
    slow.stop().await;
    world.end().await;
}
