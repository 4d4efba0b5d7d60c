//! Delivery when nobody says how: at once to a device that is there, else as soon as it is back, or in its shadow.

use std::sync::mpsc;
use std::time::Duration;

use local::faults::Delivery;
use serde_json::{Value, json};

use crate::world::{Device, World};

async fn sent(world: &World, n: u32) -> String {
    world.command("pump-7", json!({"payload": n})).await
}

async fn delivery(world: &World, command: &str) -> Value {
    world.execution(command, "pump-7").await["deliveryStatus"].clone()
}

/// What a device has got by now, in order: all that came before a message which it has just sent to itself.
async fn got(world: &World, device: &mut Device) -> Vec<Value> {
    world.stack.settle().await;
    assert!(device.publish("cmd/pump-7/req", json!({"mark": true}).to_string()).await);
    let mut got = Vec::new();
    loop {
        let (_, request) = device.next_json().await;
        if request["mark"] == true {
            return got;
        }
        got.push(request["payload"].clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_there_gets_it_at_once() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = sent(&world, 1).await;
    assert_eq!(delivery(&world, &command).await, "DELIVERED");
    assert_eq!(got(&world, &mut pump).await, [1]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_out_in_order_when_the_device_subscribes() {
    replayed(Delivery::Once).await;
}

/// Lambda runs an event twice now and then, and then at the same time: whatever has to keep its order then needs a lane.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_out_once_though_the_event_comes_twice() {
    replayed(Delivery::Twice).await;
}

async fn replayed(event: Delivery) {
    let world = World::start().await;
    world.stack.faults.events(move |accepted| match accepted.function.contains("dispatch") {
        true => event,
        false => Delivery::Once,
    });
    let mut commands = Vec::new();
    for n in 1..=4 {
        commands.push(sent(&world, n).await);
        world.advance(1).await;
    }
    for command in &commands {
        assert_eq!(delivery(&world, command).await, "QUEUED");
    }
    // One has expired, and one was called off.
    let short = world.command("pump-7", json!({"payload": 5, "ttl": 10})).await;
    assert_eq!(world.cancel(&commands[1], false).await.status, 200);
    world.advance(11).await;
    // Connected is not listening.
    let mut pump = world.device("pump-7", &["things/pump-7/other"]).await;
    world.stack.settle().await;
    assert!(pump.has_nothing());
    assert_eq!(delivery(&world, &commands[0]).await, "QUEUED");
    pump.leave().await;
    let mut pump = world.thing("pump-7").await;
    let mut replayed = got(&world, &mut pump).await;
    if event == Delivery::Twice {
        replayed.sort_by_key(Value::as_u64);
    }
    assert_eq!(replayed, [1, 3, 4]);
    for n in [0, 2, 3] {
        assert_eq!(delivery(&world, &commands[n]).await, "DELIVERED");
    }
    assert_eq!(world.status(&short, "pump-7").await, ("TIMED_OUT".to_owned(), "EXPIRED".to_owned()));
    // It comes and goes: nothing is sent again.
    pump.leave().await;
    let mut pump = world.thing("pump-7").await;
    assert_eq!(got(&world, &mut pump).await, [0; 0]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_resumes_its_session_gets_it_when_it_connects() {
    let world = World::start().await;
    let pump = world.client("pump-7", &["cmd/pump-7/req"], false).await;
    pump.leave().await;
    let command = sent(&world, 1).await;
    assert_eq!(delivery(&world, &command).await, "QUEUED");
    let mut pump = world.client("pump-7", &[], false).await;
    assert_eq!(got(&world, &mut pump).await, [1]);
    assert_eq!(delivery(&world, &command).await, "DELIVERED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_away_and_has_a_command_shadow_finds_it_there() {
    for (dialect, name) in [("map", Some("cmd")), ("atlas", None)] {
        let world = World::start().await;
        world.update_shadow("pump-7", Some("cmd"), &json!({"reported": {"dialect": dialect}}));
        let command = sent(&world, 1).await;
        assert_eq!(delivery(&world, &command).await, "SENT", "{dialect}");
        let id = world.execution(&command, "pump-7").await["executionId"].as_str().expect("an id").to_owned();
        let desired = world.shadow("pump-7", name)["state"]["desired"].to_string();
        assert!(desired.contains(&id), "{dialect}: {desired}");
        // It is sent once: a device that subscribes does not get it again.
        let mut pump = world.thing("pump-7").await;
        assert_eq!(got(&world, &mut pump).await, [0; 0], "{dialect}");
        pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
        world.stack.settle().await;
        assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
        assert!(!world.shadow("pump-7", name)["state"].to_string().contains(&id), "{dialect}");
        world.end().await;
    }
}

/// The device comes back after the cloud was told that it is not there, and before that is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_device_that_comes_back_before_its_absence_is_written_gets_it_once() {
    for event in [Delivery::Never, Delivery::Once, Delivery::Twice] {
        let world = World::start().await;
        world.stack.faults.events(move |accepted| match accepted.function.contains("dispatch") {
            // Never: it has come, and found nothing that waits.
            true => event,
            false => Delivery::Once,
        });
        let (reached, wait) = tokio::sync::oneshot::channel();
        let (release, released) = mpsc::channel::<()>();
        let (mut reached, mut missed) = (Some(reached), false);
        world.stack.faults.plan(move |call| {
            missed |= call.operation == "IotData.SendDirectMessage";
            if missed
                && call.operation == "DynamoDB.UpdateItem"
                && let Some(reached) = reached.take()
            {
                let _ = reached.send(());
                tokio::task::block_in_place(|| released.recv_timeout(Duration::from_secs(20))).expect("released");
            }
            None
        });
        let (command, mut pump) = tokio::join!(sent(&world, 1), async {
            wait.await.expect("the write of QUEUED");
            let pump = world.thing("pump-7").await;
            release.send(()).expect("it waits");
            pump
        });
        assert_eq!(got(&world, &mut pump).await, [1], "{event:?}");
        assert_eq!(delivery(&world, &command).await, "DELIVERED", "{event:?}");
        world.end().await;
    }
}
