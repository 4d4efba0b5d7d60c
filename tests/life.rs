//! The whole life of an execution, as an operator and a device see it: called off, asked again, waiting in a lane or for its
//! device, and explained wherever it is.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Device, World};

async fn cancel(world: &World, command: &str, force: bool) -> Answer {
    world.post(&format!("/commands/{command}/cancel"), &json!({"force": force})).await
}

async fn status(world: &World, command: &str) -> (String, Value) {
    let shown = world.execution(command, "pump-7").await;
    (shown["status"].as_str().expect("a status").to_owned(), shown["reason"].clone())
}

async fn explained(world: &World, command: &str) -> String {
    let answer = world.get(&format!("/commands/{command}/executions/pump-7?explain")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["explanation"].as_str().expect("an explanation").to_owned()
}

/// What the device says about the request that it got, once that has been heard.
async fn say(world: &World, pump: &mut Device, request: &Value, status: &str) {
    let report = json!({"executionId": request["executionId"], "attempt": request["attempt"], "status": status});
    pump.report("pump-7", report).await;
    world.stack.settle().await;
}

/// What happened, in few words.
fn told(shown: &Value) -> Vec<String> {
    let word = |step: &Value, member: &str| step[member].as_str().map(str::to_owned);
    let steps = shown["history"].as_array().expect("a history").iter();
    steps
        .map(|step| {
            let what = word(step, "status").or(word(step, "deliveryStatus")).expect("what");
            let reason = word(step, "reason").map(|reason| format!(" {reason}")).unwrap_or_default();
            format!("{} {what}{reason}", step["attempt"])
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_begun_is_called_off_and_its_device_is_told() {
    let world = World::start().await;
    let mut pump = world.device("pump-7", &["cmd/pump-7/req", "cmd/pump-7/cancel"]).await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let answer = cancel(&world, &command, false).await;
    assert_eq!((answer.status, &answer.body["counts"]["CANCELED"]), (200, &json!(1)), "{answer:?}");
    let (topic, notice) = pump.next_json().await;
    assert_eq!(topic, "cmd/pump-7/cancel");
    assert_eq!(notice, json!({"executionId": request["executionId"], "attempt": 1}));
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(told(&shown), ["1 CREATED", "1 SENT", "1 DELIVERED", "1 CANCELED CANCELED_BY_OPERATOR"]);
    assert_eq!(shown["history"][3]["by"], shown["createdBy"], "the operator");
    assert_eq!(cancel(&world, &command, true).await.status, 200, "twice is once");
    assert_eq!(cancel(&world, "018bcfe5-687b-7000-8000-000000000000", true).await.status, 404);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_called_off_only_by_force_and_a_late_answer_still_wins() {
    let world = World::start().await;
    let mut pump = world.device("pump-7", &["cmd/pump-7/req", "cmd/pump-7/cancel"]).await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    say(&world, &mut pump, &request, "IN_PROGRESS").await;
    let refused = cancel(&world, &command, false).await;
    assert_eq!((refused.status, &refused.body["field"]), (409, &json!("force")), "{refused:?}");
    assert_eq!(cancel(&world, &command, true).await.status, 200);
    assert_eq!(pump.next().await.0, "cmd/pump-7/cancel");
    assert_eq!(status(&world, &command).await, ("CANCELED".to_owned(), json!("CANCELED_BY_OPERATOR")));
    assert!(explained(&world, &command).await.ends_with("A late answer of the device would still count."));

    say(&world, &mut pump, &request, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)));
    assert_eq!(
        explained(&world, &command).await,
        "The device said SUCCEEDED, after it had been called off. Nothing more will happen."
    );
    let ended = cancel(&world, &command, true).await;
    assert_eq!((ended.status, &ended.body["field"]), (409, &json!("status")), "{ended:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_answered_is_asked_again_until_it_is() {
    let world = World::with_parameters(&[("ReconcileSeconds", "5")]).await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 2, "wait": 30, "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"delivery": "topic", "retry": retry})).await;
    let (_, first) = pump.next_json().await;
    assert_eq!(
        explained(&world, &command).await,
        "It was sent to pump-7, which has not answered. \
         If it has not begun by 2027-01-15T08:00:30Z, attempt 2 of 2 follows."
    );
    world.advance(100).await;
    let (_, second) = pump.next_json().await;
    assert_eq!((&first["attempt"], &second["attempt"]), (&json!(1), &json!(2)));
    assert_eq!(first["executionId"], second["executionId"]);
    assert!(pump.has_nothing(), "two are enough");
    say(&world, &mut pump, &second, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["attempt"], &shown["late"]), (&json!("SUCCEEDED"), &json!(2), &json!(false)));
    let history = ["1 CREATED", "1 SENT", "1 CREATED NO_RESPONSE", "2 SENT", "2 DELIVERED", "2 SUCCEEDED"];
    assert_eq!(told(&shown), history);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_shown_under_the_attempt_that_it_answers() {
    let world = World::with_parameters(&[("ReconcileSeconds", "5")]).await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 2, "wait": 30, "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"delivery": "topic", "retry": retry})).await;
    let (_, first) = pump.next_json().await;
    world.advance(100).await;
    assert_eq!(pump.next_json().await.1["attempt"], 2);
    say(&world, &mut pump, &first, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["attempt"]), (&json!("SUCCEEDED"), &json!(2)), "two were made");
    let history = ["1 CREATED", "1 SENT", "1 CREATED NO_RESPONSE", "2 SENT", "1 DELIVERED", "1 SUCCEEDED"];
    assert_eq!(told(&shown), history);
    assert_eq!(
        explained(&world, &command).await,
        "The device said SUCCEEDED to attempt 1 of 2. Nothing more will happen."
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_asked_again_only_where_the_policy_names_it() {
    let world = World::with_parameters(&[("ReconcileSeconds", "5")]).await;
    let mut pump = world.thing("pump-7").await;
    let retry = json!({"attempts": 2, "on": ["FAILED"], "backoff": {"base": 0}});
    let command = world.command("pump-7", json!({"retry": retry})).await;
    let (_, first) = pump.next_json().await;
    say(&world, &mut pump, &first, "FAILED").await;
    let (_, second) = pump.next_json().await;
    assert_eq!(second["attempt"], 2, "at once, since there is no backoff");
    say(&world, &mut pump, &second, "REJECTED").await;
    assert_eq!(status(&world, &command).await.0, "REJECTED");
    assert_eq!(
        explained(&world, &command).await,
        "The device said REJECTED to attempt 2 of 2. Nothing more will happen."
    );
    world.end().await;
}

/// Three commands in a lane, of which the first was sent.
async fn three(world: &World, pump: &mut Device, lane: Value) -> ([String; 3], Value) {
    let mut commands = Vec::new();
    for _ in 0..3 {
        commands.push(world.command("pump-7", json!({"lane": lane, "ttl": 3600})).await);
    }
    let (_, request) = pump.next_json().await;
    world.stack.settle().await;
    assert!(pump.has_nothing(), "one at a time");
    (commands.try_into().expect("three"), request)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_sends_one_after_the_other() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, mut request) = three(&world, &mut pump, json!("valve")).await;
    assert_eq!(
        explained(&world, &commands[2]).await,
        "It waits for its turn in its lane valve. \
         If that has not come by 2027-01-15T09:00:00Z, it is given up (LANE_BUSY)."
    );
    for (n, command) in commands.iter().enumerate() {
        let shown = world.execution(command, "pump-7").await;
        assert_eq!((&shown["executionId"], &shown["lane"]["name"]), (&request["executionId"], &json!("valve")));
        say(&world, &mut pump, &request, "SUCCEEDED").await;
        assert_eq!(status(&world, command).await.0, "SUCCEEDED");
        if n < 2 {
            request = pump.next_json().await.1;
        }
    }
    assert!(pump.has_nothing());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_stops_calls_off_what_waits_behind_a_failure() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, request) = three(&world, &mut pump, json!({"name": "valve", "onFailure": "stop"})).await;
    say(&world, &mut pump, &request, "FAILED").await;
    for command in &commands[1..] {
        assert_eq!(status(&world, command).await, ("CANCELED".to_owned(), json!("LANE_STOPPED")));
    }
    assert_eq!(
        explained(&world, &commands[2]).await,
        "An earlier command of its lane valve did not succeed, and it stops then (LANE_STOPPED). \
         Nothing more will happen."
    );
    assert!(pump.has_nothing());
    let fresh = world.command("pump-7", json!({"lane": "valve"})).await;
    say(&world, &mut pump, &json!({"executionId": pump_id(&world, &fresh).await, "attempt": 1}), "SUCCEEDED").await;
    assert_eq!(status(&world, &fresh).await.0, "SUCCEEDED", "the lane is free again");
    world.end().await;
}

async fn pump_id(world: &World, command: &str) -> Value {
    world.execution(command, "pump-7").await["executionId"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_skips_goes_on_after_a_failure() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, mut request) = three(&world, &mut pump, json!({"name": "valve", "onFailure": "skip"})).await;
    for (n, said) in ["FAILED", "REJECTED", "SUCCEEDED"].into_iter().enumerate() {
        say(&world, &mut pump, &request, said).await;
        assert_eq!(status(&world, &commands[n]).await.0, said);
        if n < 2 {
            request = pump.next_json().await.1;
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_head_lets_the_next_one_out() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, _) = three(&world, &mut pump, json!({"name": "valve", "onFailure": "skip"})).await;
    assert_eq!(cancel(&world, &commands[1], false).await.status, 200, "in the middle");
    assert_eq!(cancel(&world, &commands[0], false).await.status, 200);
    let (_, request) = pump.next_json().await;
    assert_eq!(request["executionId"], pump_id(&world, &commands[2]).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_command_takes_the_place_of_those_that_wait() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let (commands, request) = three(&world, &mut pump, json!("valve")).await;
    let newest = world.command("pump-7", json!({"lane": "valve", "supersede": true})).await;
    for command in &commands[1..] {
        assert_eq!(status(&world, command).await, ("CANCELED".to_owned(), json!("SUPERSEDED")));
    }
    assert_eq!(status(&world, &commands[0]).await.0, "CREATED", "its device has it");
    say(&world, &mut pump, &request, "SUCCEEDED").await;
    let (_, next) = pump.next_json().await;
    assert_eq!(next["executionId"], pump_id(&world, &newest).await);
    let shown = world.get(&format!("/commands/{newest}")).await.body;
    assert_eq!((&shown["supersede"], &shown["lane"]["onFailure"]), (&json!(true), &json!("stop")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_goes_out_when_its_device_subscribes() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({})).await;
    assert_eq!(
        explained(&world, &command).await,
        "It waits for pump-7 to connect. If that does not happen, it expires at 2027-01-15T08:05:00Z."
    );
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(shown["nextAt"], "2027-01-15T08:05:00Z");
    world.advance(30).await;
    let mut pump = world.thing("pump-7").await;
    let (_, request) = pump.next_json().await;
    world.stack.settle().await;
    assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "DELIVERED");
    say(&world, &mut pump, &request, "SUCCEEDED").await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(told(&shown), ["1 CREATED", "1 QUEUED", "1 SENT", "1 DELIVERED", "1 SUCCEEDED"]);
    let by: Vec<_> = shown["history"].as_array().expect("a history").iter().map(|step| step["by"].clone()).collect();
    assert_eq!(by[1..], ["command-api", "dispatch-commands", "device", "device"].map(Value::from));
    assert_eq!(shown["nextAt"], Value::Null);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_into_a_shadow_is_refused_and_leaves_nothing() {
    let world = World::start().await;
    let post = |more: Value| {
        let mut body = json!({"name": "set", "target": {"things": ["pump-7"]}, "delivery": "shadow"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let world = &world;
        async move { world.post("/commands", &body).await }
    };
    for (more, status, field) in [
        (json!({"shadow": "state"}), 422, "payload"),
        (json!({"shadow": "state", "payload": "on"}), 422, "payload"),
        (json!({"shadow": "state", "payload": {"light": null}}), 422, "payload"),
        (json!({"shadow": "atlas", "lane": "valve"}), 422, "lane"),
        (json!({"payload": {"text": "x".repeat(9000)}}), 422, "payload"),
    ] {
        let answer = post(more).await;
        assert_eq!((answer.status, &answer.body["field"]), (status, &json!(field)), "{answer:?}");
    }
    let mut full = post(json!({"payload": {"text": "x".repeat(3000)}})).await;
    assert_eq!(full.status, 202, "{full:?}");
    for _ in 0..3 {
        full = post(json!({"payload": {"text": "x".repeat(3000)}})).await;
    }
    assert_eq!((full.status, &full.body["field"]), (413, &json!("payload")), "{full:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_fulfilled_by_what_the_device_reports_and_is_explained_meanwhile() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let body = json!({"delivery": "shadow", "shadow": "state/config", "payload": {"light": "on"}});
    let command = world.command("pump-7", body).await;
    assert_eq!(
        explained(&world, &command).await,
        "It is in a shadow of pump-7, whose device has not answered. \
         If it has not begun by 2027-01-15T08:03:55Z, it is given up (NO_RESPONSE)."
    );
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!(shown["via"], "shadow/state/config");
    let topic = "$aws/things/pump-7/shadow/name/config/update";
    assert!(pump.publish(topic, json!({"state": {"reported": {"light": "on"}}}).to_string()).await);
    world.stack.settle().await;
    assert_eq!(status(&world, &command).await.0, "SUCCEEDED");
    let lists =
        [format!("/commands/{command}/executions?explain=true"), "/things/pump-7/executions?explain".to_owned()];
    for path in lists {
        let listed = world.request(Method::GET, &path, &[], "").await;
        let text = listed.body["executions"][0]["explanation"].clone();
        assert_eq!(text, "The device said SUCCEEDED. Nothing more will happen.", "{path}");
    }
    world.end().await;
}
