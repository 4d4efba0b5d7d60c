//! Commands for devices of AWS's IoT Atlas, unmodified: one at a time in the classic shadow, and gone before their time has passed.
//! The letters are those of the nine situations in which such a device does what it should not, unless the cloud takes care.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use local::faults::Transit;
use reqwest::Method;
use serde_json::{Value, json};

use super::relay::Relay;
use crate::world::{EXECUTIONS, World};

const THING: &str = "motor-1";

async fn world_with(parameters: &[(&str, &str)]) -> World {
    let world = World::with_parameters(parameters).await;
    world.update_shadow(THING, Some("cmd"), &json!({"desired": {"dialect": "atlas"}}));
    // Such a device has a shadow before it connects.
    world.update_shadow(THING, None, &json!({"desired": {"deviceAttrib": {"motorStatus": "off"}}}));
    world
}

async fn world() -> World {
    world_with(&[]).await
}

fn body(message: &str, ttl: u32) -> Value {
    json!({"name": "relay-command", "payload": message, "delivery": "shadow", "ttl": ttl})
}

async fn sent(world: &World, message: &str, ttl: u32) -> String {
    world.command(THING, body(message, ttl)).await
}

/// Someone else who wishes something of the device.
fn turn_motor(world: &World, status: &str) {
    world.update_shadow(THING, None, &json!({"desired": {"deviceAttrib": {"motorStatus": status}}}));
}

fn state(world: &World) -> Value {
    world.shadow(THING, None)["state"].clone()
}

/// What the classic shadow wishes to be done.
fn wished(world: &World) -> Option<Value> {
    state(world)["desired"].get("command").cloned()
}

/// Whether the shadow holds no command, in no section.
fn is_clean(world: &World) -> bool {
    !state(world).to_string().contains("relay-command")
}

async fn is_owed_nothing(world: &World) -> bool {
    world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none())
}

fn ended(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relayed_message_is_success_and_the_shadow_is_clean_then() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    for echoes in [true, false] {
        motor.echoes = echoes;
        // What an earlier command has left there could hide one.
        let old = json!([{"relay-command": {"message": "go", "topic": "cmd/device1/response", "ttl": 300}}]);
        world.update_shadow(THING, None, &json!({"reported": {"command": old}}));
        let command = sent(&world, "go", 300).await;
        assert!(state(&world)["reported"].get("command").is_none(), "{}", state(&world));
        motor.catch_up(&world).await;
        assert_eq!(world.status(&command, THING).await, ended("SUCCEEDED", ""));
        assert!(is_clean(&world) && is_owed_nothing(&world).await, "{}", state(&world));
    }
    // The identical command has been done each time.
    assert_eq!(motor.relayed, ["go", "go"]);
    assert!(motor.is_connected());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_in_the_shadow_is_success_where_the_relayed_message_is_lost() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    motor.relays = false;
    for message in ["go", "go", "stop"] {
        let command = sent(&world, message, 300).await;
        motor.catch_up(&world).await;
        let shown = world.execution(&command, THING).await;
        assert_eq!((&shown["status"], &shown["result"]), (&json!("SUCCEEDED"), &json!(message)));
        assert!(is_clean(&world) && is_owed_nothing(&world).await, "{}", state(&world));
    }
    assert_eq!(motor.relayed, ["go", "go", "stop"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_the_command_is_gone_when_the_device_comes_back_after_its_ttl() {
    // Whatever else is written there meanwhile, and wherever in the minute it was asked for.
    for tick in ["60", "5"] {
        let world = world_with(&[("ReconcileSeconds", tick)]).await;
        for (ttl, second) in [(300, 55), (130, 6), (131, 59)] {
            let start = world.stack.clock.now_s();
            world.advance((60 - start % 60 + second).unsigned_abs()).await;
            let command = sent(&world, "go", ttl).await;
            assert!(wished(&world).is_some());
            for n in 0..ttl / 10 {
                turn_motor(&world, if n % 2 == 0 { "on" } else { "off" });
                world.advance(10).await;
            }
            world.advance(u64::from(ttl % 10) + 1).await;
            let mut motor = Relay::start(&world, THING).await;
            motor.catch_up(&world).await;
            assert_eq!(motor.relayed, Vec::<Value>::new(), "every {tick} s: ttl {ttl}, asked for at :{second}");
            assert_eq!(world.status(&command, THING).await, ended("TIMED_OUT", "NO_RESPONSE"));
            assert!(is_clean(&world) && is_owed_nothing(&world).await, "{}", state(&world));
            motor.leave().await;
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_a_command_that_could_outlive_its_ttl_there_is_not_taken() {
    for (tick, least) in [("60", 130), ("5", 20)] {
        let world = world_with(&[("ReconcileSeconds", tick)]).await;
        let mut body = body("go", least - 1);
        body["target"] = json!({"things": [THING]});
        let answer = world.post("/commands", &body).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!("ttl")), "{answer:?}");
        // Nor is it sent there when it was to go another way, and has as little time.
        body["delivery"] = json!("auto");
        let command = world.post("/commands", &body).await.body["commandId"].as_str().expect("an id").to_owned();
        assert_eq!(world.execution(&command, THING).await["deliveryStatus"], "QUEUED");
        assert!(is_clean(&world));
        sent(&world, "go", least).await;
        assert!(!is_clean(&world));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_and_c_what_a_device_has_skipped_is_gone_before_another_wish_could_wake_it() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    let command = sent(&world, "go", 150).await;
    // The delta is on its way for so long that the device takes it for expired, and says nothing.
    world.advance(151).await;
    motor.catch_up(&world).await;
    assert_eq!(world.status(&command, THING).await, ended("TIMED_OUT", "NO_RESPONSE"));
    assert!(is_clean(&world) && is_owed_nothing(&world).await);
    turn_motor(&world, "on");
    motor.catch_up(&world).await;
    assert_eq!(state(&world)["reported"]["deviceAttrib"]["motorStatus"], "on");
    assert_eq!(motor.relayed, Vec::<Value>::new());
    assert!(motor.is_connected());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d_and_f_an_entry_has_the_three_members_that_are_echoed_and_no_other() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    motor.relays = false;
    for (payload, message) in
        [(json!("go"), json!("go")), (json!({"id": [1]}), json!({"id": [1]})), (Value::Null, json!(""))]
    {
        let more = json!({"name": "relay-command", "payload": payload, "delivery": "shadow", "ttl": 300});
        world.command(THING, more).await;
        let entry = wished(&world).expect("a command")[0]["relay-command"].clone();
        let members: Vec<&String> = entry.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["message", "topic", "ttl"]);
        assert_eq!((&entry["message"], &entry["ttl"]), (&message, &json!(235)));
        motor.catch_up(&world).await;
        assert_eq!(motor.relayed.last(), Some(&message));
        assert!(is_clean(&world) && state(&world).get("delta").is_none(), "{}", state(&world));
    }
    assert!(motor.is_connected());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e_one_command_at_a_time_is_in_the_shadow() {
    let world = world().await;
    let first = sent(&world, "one", 300).await;
    let second = sent(&world, "two", 300).await;
    let third = sent(&world, "three", 300).await;
    assert_eq!(wished(&world).expect("a command").as_array().map(Vec::len), Some(1));
    assert_eq!(wished(&world).expect("a command")[0]["relay-command"]["message"], "one");
    assert_eq!(world.execution(&second, THING).await["deliveryStatus"], "PENDING");
    assert_eq!(world.cancel(&second, false).await.status, 200);
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["one", "three"], "in order, each when the one before was gone");
    for (command, status) in [(first, "SUCCEEDED"), (second, "CANCELED"), (third, "SUCCEEDED")] {
        assert_eq!(world.status(&command, THING).await.0, status);
    }
    assert!(is_clean(&world) && is_owed_nothing(&world).await, "{}", state(&world));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e_the_next_one_goes_out_when_the_one_before_was_called_off_or_has_expired() {
    let world = world().await;
    let first = sent(&world, "one", 300).await;
    let second = sent(&world, "two", 300).await;
    let third = sent(&world, "three", 3600).await;
    assert_eq!(world.cancel(&first, false).await.status, 200);
    assert_eq!(wished(&world).expect("a command")[0]["relay-command"]["message"], "two");
    world.advance(300).await;
    assert_eq!(world.status(&second, THING).await, ended("TIMED_OUT", "NO_RESPONSE"));
    assert_eq!(wished(&world).expect("a command")[0]["relay-command"]["message"], "three");
    assert_eq!(world.status(&third, THING).await.0, "CREATED");
    // What has waited in vain never gets there.
    let fourth = sent(&world, "four", 300).await;
    world.advance(300).await;
    assert_eq!(world.status(&fourth, THING).await, ended("TIMED_OUT", "LANE_BUSY"));
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["three"]);
    assert!(is_clean(&world) && is_owed_nothing(&world).await, "{}", state(&world));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g_what_the_device_does_not_know_ends_and_goes() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    let command = world.command(THING, json!({"name": "reboot", "delivery": "shadow", "ttl": 300})).await;
    motor.catch_up(&world).await;
    world.advance(300).await;
    motor.catch_up(&world).await;
    assert_eq!(world.status(&command, THING).await, ended("TIMED_OUT", "NO_RESPONSE"));
    assert!(!state(&world).to_string().contains("reboot") && is_owed_nothing(&world).await);
    assert!(motor.is_connected());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h_a_delta_that_comes_twice_is_done_once() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    world.stack.faults.messages(|message| match message.topic.ends_with("/delta") {
        true => Transit::Twice,
        false => Transit::Delivered,
    });
    let command = sent(&world, "go", 300).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["go"]);
    assert_eq!(world.status(&command, THING).await.0, "SUCCEEDED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i_nothing_touches_the_shadow_while_a_command_is_under_way() {
    let world = world().await;
    let mut body = body("go", 300);
    body["target"] = json!({"things": [THING]});
    let post = async || world.request(Method::POST, "/commands", &[("idempotency-key", "k-1")], body.to_string()).await;
    assert_eq!(post().await.status, 202);
    let version = world.shadow(THING, None)["version"].clone();
    // The same request again, at once and later; another command; ticks.
    for seconds in [0, 1, 15, 30, 60] {
        world.advance(seconds).await;
        assert_eq!(post().await.status, 202);
    }
    sent(&world, "later", 300).await;
    world.stack.settle().await;
    assert_eq!(world.shadow(THING, None)["version"], version);
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["go", "later"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_echo_is_taken_and_cleaned_and_never_clears_another_command() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    let first = sent(&world, "one", 300).await;
    let echo = wished(&world).expect("a command");
    world.advance(300).await;
    assert!(is_clean(&world));
    let second = sent(&world, "two", 300).await;
    // What a device reports that was slow.
    world.update_shadow(THING, None, &json!({"reported": {"command": echo}}));
    world.stack.settle().await;
    let shown = world.execution(&first, THING).await;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)));
    assert_eq!(world.status(&second, THING).await.0, "CREATED");
    assert_eq!(wished(&world).expect("a command")[0]["relay-command"]["message"], "two");
    assert!(state(&world)["reported"].get("command").is_none(), "{}", state(&world));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_replaces_the_command_in_the_shadow_is_left_alone() {
    let world = world().await;
    let command = sent(&world, "go", 300).await;
    let theirs = json!([{"relay-command": {"message": "mine", "topic": "cmd/device1/response", "ttl": 300}}]);
    world.update_shadow(THING, None, &json!({"desired": {"command": theirs}}));
    world.advance(300).await;
    assert_eq!(world.status(&command, THING).await, ended("TIMED_OUT", "NO_RESPONSE"));
    assert_eq!(wished(&world), Some(theirs.clone()));
    assert!(is_owed_nothing(&world).await);
    // Its own echo, on whatever topic, is nobody's answer.
    world.update_shadow(THING, None, &json!({"reported": {"command": theirs}}));
    world.stack.settle().await;
    assert_eq!(world.status(&command, THING).await.0, "TIMED_OUT");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_was_deleted_meanwhile_is_not_made_again() {
    let world = world().await;
    let command = sent(&world, "go", 300).await;
    world.stack.shadows.delete(THING, None).expect("deleted");
    world.advance(300).await;
    assert_eq!(world.status(&command, THING).await, ended("TIMED_OUT", "NO_RESPONSE"));
    assert!(world.shadow(THING, None).is_null() && is_owed_nothing(&world).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thing_can_not_answer_for_another() {
    let world = world().await;
    let command = sent(&world, "go", 300).await;
    let echo = wished(&world).expect("a command");
    world.update_shadow("motor-2", None, &json!({"desired": {"x": 1}, "reported": {"command": echo}}));
    world.stack.settle().await;
    assert_eq!(world.status(&command, THING).await.0, "CREATED");
    assert_eq!(world.counted("track-command", "ReportUndecodable"), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawal_yields_to_whoever_writes_in_between() {
    let world = world().await;
    let command = sent(&world, "go", 300).await;
    // Once, and the next look at the shadow gets through.
    let conflicts = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&conflicts);
    world.stack.faults.plan(move |call| {
        let update = call.operation == "IotData.UpdateThingShadow";
        (update && seen.fetch_add(1, Ordering::Relaxed) == 0).then_some(local::faults::Fault::Conflict)
    });
    assert_eq!(world.cancel(&command, false).await.status, 200);
    assert!(conflicts.load(Ordering::Relaxed) >= 2);
    assert!(is_clean(&world));
    world.advance(60).await;
    assert!(is_clean(&world) && is_owed_nothing(&world).await);

    // Always: it stays owed, and the tick after that finishes it.
    let command = sent(&world, "go", 300).await;
    world
        .stack
        .faults
        .plan(|call| (call.operation == "IotData.UpdateThingShadow").then_some(local::faults::Fault::Conflict));
    assert_eq!(world.cancel(&command, false).await.status, 200);
    assert!(!is_clean(&world) && !is_owed_nothing(&world).await);
    let next = sent(&world, "next", 600).await;
    world.stack.faults.clear();
    world.advance(60).await;
    world.advance(60).await;
    assert_eq!(wished(&world).expect("a command")[0]["relay-command"]["message"], "next");
    assert_eq!(world.cancel(&next, false).await.status, 200);
    assert!(is_clean(&world));
    world.advance(60).await;
    assert!(is_clean(&world) && is_owed_nothing(&world).await);
    world.end().await;
}
