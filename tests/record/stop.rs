//! A cancel of a running execution shows whether its device has confirmed that it stopped.

use device::agent::Outcome;
use serde_json::{Value, json};

use crate::scripted_device::ScriptedDevice;
use crate::world::World;

async fn explained(world: &World, command: &str) -> (Value, String) {
    let shown = world.get(&format!("/commands/{command}/executions/pump-7?explain")).await.body;
    let explanation = shown["explanation"].as_str().expect("an explanation").to_owned();
    (shown, explanation)
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn forced_cancel_shows_whether_the_device_confirmed_it() {
    let world = World::start().await;
    let mut pump = world.device("pump-7", &["cmd/pump-7/req", "cmd/pump-7/cancel"]).await;
    let command = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let report = |status: &str| json!({"executionId": request["executionId"], "status": status});
    pump.report("pump-7", report("IN_PROGRESS")).await;
    world.settle().await;
    pump.report("pump-7", report("CANCELED")).await;
    world.settle().await;
    assert_eq!(world.status(&command, "pump-7").await.0, "IN_PROGRESS", "nothing was canceled");
    assert_eq!(world.counted("track-command", "ReportUnknown"), 1);
    assert_eq!(world.execution(&command, "pump-7").await["stopConfirmed"], Value::Null);

    assert_eq!(world.cancel(&command, true).await.status, 200);
    let (shown, explanation) = explained(&world, &command).await;
    assert_eq!((&shown["status"], &shown["stopConfirmed"]), (&json!("CANCELED"), &json!(false)));
    assert!(explanation.contains("A late answer of the device would still count."), "{explanation}");

    world.advance(2).await;
    for _ in 0..2 {
        pump.report("pump-7", report("CANCELED")).await;
        world.settle().await;
    }
    let (shown, explanation) = explained(&world, &command).await;
    assert_eq!((&shown["status"], &shown["stopConfirmed"]), (&json!("CANCELED"), &json!(true)));
    assert!(explanation.contains("Its device has stopped it."), "{explanation}");
    let history = shown["history"].as_array().expect("a history");
    let stopped = json!({"at": world.now(), "status": "CANCELED", "attempt": 1, "by": "device"});
    assert_eq!(history.last(), Some(&stopped), "{shown:#}");
    assert_eq!(history.iter().filter(|step| step["status"] == "CANCELED").count(), 2, "{shown:#}");

    pump.report("pump-7", report("SUCCEEDED")).await;
    world.settle().await;
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["late"]), (&json!("SUCCEEDED"), &json!(true)), "its outcome still counts");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn reference_device_confirms_that_it_has_stopped() {
    let world = World::start().await;
    let mut pump = ScriptedDevice::connect(&world, "pump-7", false).await;
    let command = world.command("pump-7", json!({})).await;
    pump.handle_messages(&world).await;
    assert_eq!(world.cancel(&command, true).await.status, 200);
    pump.handle_messages(&world).await;
    assert_eq!(world.execution(&command, "pump-7").await["stopConfirmed"], true);
    pump.finish_runs(&world, |_| Outcome::succeeded(None)).await;
    assert_eq!(world.status(&command, "pump-7").await.0, "CANCELED");
    world.end_with(pump.runs).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn request_that_never_went_out_needs_no_confirmation() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({})).await;
    assert_eq!(world.cancel(&command, false).await.status, 200);
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["status"], &shown["stopConfirmed"]), (&json!("CANCELED"), &Value::Null), "{shown:#}");
    world.end().await;
}
