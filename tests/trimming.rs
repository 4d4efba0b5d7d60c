//! Trimmed shadow messages: a constrained device gets each change in a fraction of the bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use local::faults::Fault;
use serde_json::json;

use crate::world::{Device, World};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_change_of_a_classic_or_named_shadow_is_trimmed() {
    let world = World::start().await;
    for (prefix, trimmed) in [
        ("$aws/things/pump-7/shadow", "things/pump-7/shadow/trimmed/update"),
        ("$aws/things/pump-7/shadow/name/config", "things/pump-7/shadow/config/trimmed/update"),
    ] {
        let delta = format!("{prefix}/update/delta");
        let mut device = world.device("pump-7", &[trimmed, &delta]).await;
        for version in 1..=3 {
            let desired =
                json!({"state": {"desired": {"speed": version, "color": {"r": 1, "g": 2}}}, "clientToken": "t-1"});
            assert!(device.publish(&format!("{prefix}/update"), desired.to_string()).await);
            let (mut whole, mut small) = (Vec::new(), Vec::new());
            for _ in 0..2 {
                let (topic, payload) = device.next().await;
                if topic == trimmed { small = payload } else { whole = payload }
            }
            let body: serde_json::Value = serde_json::from_slice(&small).expect("JSON");
            let state = json!({"speed": version, "color": {"r": 1, "g": 2}});
            assert_eq!(body, json!({"state": state, "version": version, "clientToken": "t-1"}));
            assert!(small.len() * 2 < whole.len(), "{} of {} bytes", small.len(), whole.len());
        }
    }
    world.end().await;
}

/// What a device that comes back reads: its answer looks like the changes that it would have received.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_answer_to_a_device_that_asks_for_its_shadow_is_trimmed() {
    let world = World::start().await;
    for (prefix, trimmed) in [
        ("$aws/things/pump-7/shadow", "things/pump-7/shadow/trimmed/get"),
        ("$aws/things/pump-7/shadow/name/config", "things/pump-7/shadow/config/trimmed/get"),
    ] {
        let accepted = format!("{prefix}/update/accepted");
        let mut device = world.device("pump-7", &[trimmed, &accepted]).await;
        let all = json!({"speed": 3, "color": {"r": 1, "g": 2}});
        let ask = async |device: &mut Device, token: &str| {
            let request = json!({"clientToken": token}).to_string();
            assert!(device.publish(&format!("{prefix}/get"), request).await);
            let (topic, body) = device.next_json().await;
            assert_eq!(topic, trimmed);
            body
        };
        let update = json!({"state": {"desired": all, "reported": {"color": {"r": 1}}}});
        assert!(device.publish(&format!("{prefix}/update"), update.to_string()).await);
        assert_eq!(device.next().await.0, accepted);
        for token in ["t-1", "t-2"] {
            let to_do = json!({"speed": 3, "color": {"g": 2}});
            assert_eq!(ask(&mut device, token).await, json!({"state": to_do, "version": 1, "clientToken": token}));
        }
        let done = json!({"state": {"reported": all}});
        assert!(device.publish(&format!("{prefix}/update"), done.to_string()).await);
        assert_eq!(device.next().await.0, accepted);
        assert_eq!(ask(&mut device, "t-3").await, json!({"state": {}, "version": 2, "clientToken": "t-3"}));
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn answers_are_not_trimmed_without_the_parameter() {
    let world = World::with_parameters(&[("TrimmedAnswers", "false")]).await;
    let (get, accepted) = ("$aws/things/pump-7/shadow/get", "$aws/things/pump-7/shadow/get/accepted");
    let mut device = world.device("pump-7", &["things/pump-7/shadow/trimmed/get", accepted]).await;
    let desired = json!({"state": {"desired": {"speed": 3}}});
    assert!(device.publish("$aws/things/pump-7/shadow/update", desired.to_string()).await);
    world.settle().await;
    for _ in 0..2 {
        assert!(device.publish(get, "").await);
        assert_eq!(device.next().await.0, accepted);
        world.settle().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_kept_attributes_and_the_trimmed_message_are_template_parameters() {
    let world = World::with_parameters(&[("TrimKeep", "speed"), ("TrimmedMessage", "documents")]).await;
    let mut device = world.device("pump-7", &["things/pump-7/shadow/trimmed/update"]).await;
    let update = json!({"state": {"desired": {"speed": 3, "noise": [1, 2]}, "reported": {"speed": 3, "noise": [3]}}});
    assert!(device.publish("$aws/things/pump-7/shadow/update", update.to_string()).await);
    let (_, body) = device.next_json().await;
    assert_eq!(body, json!({"state": {"desired": {"speed": 3}, "reported": {"speed": 3}}, "version": 1}));
    world.end().await;
}

/// Lambda retries what has failed after a minute. Until then a command may have expired, and the device has asked again.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn what_is_trimmed_late_holds_no_expired_command_and_a_late_answer_is_left_out() {
    let world = World::start().await;
    let (changes, answers) = ("things/pump-7/shadow/trimmed/update", "things/pump-7/shadow/trimmed/get");
    let accepted = "$aws/things/pump-7/shadow/get/accepted";
    let mut device = world.device("pump-7", &[changes, answers, accepted]).await;
    let is_down = Arc::new(AtomicBool::new(true));
    let down = is_down.clone();
    world.stack.faults.plan(move |call| {
        (down.load(Ordering::Relaxed) && call.operation == "IotData.Publish").then_some(Fault::Unavailable)
    });
    let expires_at = world.stack.clock.now_ms() / 1000 + 45;
    let desired = json!({"state": {"desired": {"speed": 3, "c": {"id": {"expiresAt": expires_at}}}}});
    assert!(device.publish("$aws/things/pump-7/shadow/update", desired.to_string()).await);
    assert!(device.publish("$aws/things/pump-7/shadow/get", "").await);
    assert_eq!(device.next().await.0, accepted);
    world.settle().await;
    is_down.store(false, Ordering::Relaxed);
    world.advance(90).await;
    let (topic, body) = device.next_json().await;
    assert_eq!((topic.as_str(), &body["state"]), (changes, &json!({"speed": 3})));
    assert!(device.has_nothing());
    assert_eq!(world.counted("trim-shadow", "ShadowAnswerLate"), 1);
    // The device asks again.
    assert!(device.publish("$aws/things/pump-7/shadow/get", "").await);
    for _ in 0..2 {
        let (topic, body) = device.next_json().await;
        assert!(topic == accepted || body["state"] == json!({"speed": 3}), "{topic}: {body}");
    }
    world.end().await;
}
