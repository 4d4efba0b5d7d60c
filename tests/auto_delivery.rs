//! Delivery `auto`: directly to a connected device, else when the device subscribes, or in its shadow.

use std::sync::mpsc;
use std::time::Duration;

use local::faults::Delivery;
use serde_json::{Value, json};

use crate::world::{Device, World};

/// Creates a command with this payload. Returns the command id.
async fn create(world: &World, n: u32) -> String {
    world.command("pump-7", json!({"payload": n})).await
}

async fn delivery_status(world: &World, command: &str) -> Value {
    world.execution(command, "pump-7").await["deliveryStatus"].clone()
}

/// Payloads of all requests that the device has received, in order. A marker that the device publishes to its own
/// request topic ends the list.
async fn received_payloads(world: &World, device: &mut Device) -> Vec<Value> {
    world.settle().await;
    assert!(device.publish("cmd/pump-7/req", json!({"mark": true}).to_string()).await);
    let mut payloads = Vec::new();
    loop {
        let (_, request) = device.next_json().await;
        if request["mark"] == true {
            return payloads;
        }
        payloads.push(request["payload"].clone());
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_connected_device_gets_a_command_at_once() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let command = create(&world, 1).await;
    assert_eq!(delivery_status(&world, &command).await, "DELIVERED");
    assert_eq!(received_payloads(&world, &mut pump).await, [1]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn queued_commands_are_sent_in_order_when_the_device_subscribes() {
    check_queued_commands(Delivery::Once).await;
}

/// Lambda may run an event twice at the same time. Only a lane keeps the order of commands then.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn queued_commands_are_sent_once_when_the_event_is_delivered_twice() {
    check_queued_commands(Delivery::Twice).await;
}

async fn check_queued_commands(event: Delivery) {
    let world = World::start().await;
    world.stack.faults.events(move |accepted| match accepted.function.contains("dispatch") {
        true => event,
        false => Delivery::Once,
    });
    let mut commands = Vec::new();
    for n in 1..=4 {
        commands.push(create(&world, n).await);
        world.advance(1).await;
    }
    for command in &commands {
        assert_eq!(delivery_status(&world, command).await, "QUEUED");
    }
    // One command expires and one is canceled.
    let short = world.command("pump-7", json!({"payload": 5, "ttl": 10})).await;
    assert_eq!(world.cancel(&commands[1], false).await.status, 200);
    world.advance(11).await;
    // A device that is connected without a subscription to its request topic gets nothing.
    let mut pump = world.device("pump-7", &["things/pump-7/other"]).await;
    world.settle().await;
    assert!(pump.has_nothing());
    assert_eq!(delivery_status(&world, &commands[0]).await, "QUEUED");
    // Connecting and subscribing are two events, which may be handled at the same time; this is only the second.
    pump.subscribe("cmd/pump-7/req").await;
    let mut sent = received_payloads(&world, &mut pump).await;
    if event == Delivery::Twice {
        sent.sort_by_key(Value::as_u64);
    }
    assert_eq!(sent, [1, 3, 4]);
    for n in [0, 2, 3] {
        assert_eq!(delivery_status(&world, &commands[n]).await, "DELIVERED");
    }
    assert_eq!(world.status(&short, "pump-7").await, ("TIMED_OUT".to_owned(), "EXPIRED".to_owned()));
    // A reconnect sends nothing again.
    pump.leave().await;
    let mut pump = world.thing("pump-7").await;
    assert_eq!(received_payloads(&world, &mut pump).await, [0; 0]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_device_that_resumes_its_session_gets_queued_commands_on_connect() {
    let world = World::start().await;
    let pump = world.client("pump-7", &["cmd/pump-7/req"], false).await;
    pump.leave().await;
    // The events of this connection: handled later, they would find the command and try to send it.
    world.settle().await;
    let command = create(&world, 1).await;
    assert_eq!(delivery_status(&world, &command).await, "QUEUED");
    let mut pump = world.client("pump-7", &[], false).await;
    assert_eq!(received_payloads(&world, &mut pump).await, [1]);
    assert_eq!(delivery_status(&world, &command).await, "DELIVERED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_for_an_offline_device_with_a_command_shadow_goes_to_the_shadow() {
    for (dialect, name) in [("map", Some("cmd")), ("atlas", None)] {
        let world = World::start().await;
        world.update_shadow("pump-7", Some("cmd"), &json!({"reported": {"dialect": dialect}}));
        let command = create(&world, 1).await;
        assert_eq!(delivery_status(&world, &command).await, "SENT", "{dialect}");
        let id = world.execution(&command, "pump-7").await["executionId"].as_str().expect("an id").to_owned();
        let desired = world.shadow("pump-7", name)["state"]["desired"].to_string();
        assert!(desired.contains(&id), "{dialect}: {desired}");
        // A device that subscribes does not get the request a second time.
        let mut pump = world.thing("pump-7").await;
        assert_eq!(received_payloads(&world, &mut pump).await, [0; 0], "{dialect}");
        pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
        world.settle().await;
        assert_eq!(world.status(&command, "pump-7").await.0, "SUCCEEDED");
        assert!(!world.shadow("pump-7", name)["state"].to_string().contains(&id), "{dialect}");
        world.end().await;
    }
}

/// The device subscribes after SendDirectMessage has failed and before QUEUED is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4, crate = "crate::deadline")]
async fn a_device_that_connects_before_queued_is_written_gets_the_command_once() {
    for event in [Delivery::Never, Delivery::Once, Delivery::Twice] {
        let world = World::start().await;
        world.stack.faults.events(move |accepted| match accepted.function.contains("dispatch") {
            // Never: the function saw the device connect, and found no queued execution.
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
                tokio::task::block_in_place(|| released.recv_timeout(Duration::from_secs(20)))
                    .expect("the device is connected in time");
            }
            None
        });
        let (command, mut pump) = tokio::join!(create(&world, 1), async {
            wait.await.expect("the write of QUEUED begins");
            let pump = world.thing("pump-7").await;
            release.send(()).expect("the write of QUEUED is held back");
            pump
        });
        assert_eq!(received_payloads(&world, &mut pump).await, [1], "{event:?}");
        assert_eq!(delivery_status(&world, &command).await, "DELIVERED", "{event:?}");
        world.end().await;
    }
}
