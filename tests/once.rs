//! A device is asked once, also by requests that come at the same time; and again where its request may have been lost.

use std::collections::BTreeMap;
use std::time::Duration;

use local::faults::{Call, Delivery, Fault, Transit};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::deadline::waiting;
use crate::world::{ApiResponse, Device, EXECUTIONS, World};

const API: &str = "flaghoist-command-api";

/// The body of a command to `pump-7`.
fn body(delivery: &str) -> String {
    json!({"name": "reboot", "target": {"things": ["pump-7"]}, "delivery": delivery}).to_string()
}

async fn post(world: &World, key: &str, body: &str) -> ApiResponse {
    world.request(Method::POST, "/commands", &[("idempotency-key", key)], body.to_owned()).await
}

/// The ids of all executions whose requests have arrived, with the number of requests and of attempts.
fn requests(device: &mut Device) -> BTreeMap<String, (usize, u64)> {
    let mut counts: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    while let Some((_, payload)) = device.try_next() {
        let request: Value = serde_json::from_slice(&payload).expect("JSON");
        let count = counts.entry(request["executionId"].as_str().expect("an id").to_owned()).or_default();
        *count = (count.0 + 1, request["attempt"].as_u64().expect("a number").max(count.1));
    }
    counts
}

/// Lets time pass, and the reconciler look at what is due by then.
async fn pass(world: &World, seconds: u64) {
    world.advance(seconds).await;
    let tick = json!({"kind": "tick", "scheduledTime": world.now()}).to_string();
    world.invoke("reconcile-commands", &tick).await.expect("a tick");
    world.settle().await;
}

/// Whether the call stores the row of an execution.
fn stores_execution(call: &Call) -> bool {
    call.operation == "DynamoDB.PutItem" && String::from_utf8_lossy(&call.body).contains(EXECUTIONS)
}

fn is_api_call(call: &Call) -> bool {
    call.function == API
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn parallel_requests_with_one_key_ask_a_device_once() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    for round in 0..200 {
        let (key, delivery) = (format!("round-{round}"), if round % 2 == 0 { "direct" } else { "topic" });
        let (body, callers) = (body(delivery), if round % 10 == 0 { 20 } else { 2 });
        // In every other pair of rounds the requests come at different milliseconds.
        let mut posts = JoinSet::new();
        for _ in 0..callers {
            if round % 4 >= 2 {
                world.stack.clock.advance(Duration::from_millis(1));
            }
            let request = reqwest::Client::new().post(format!("http://{}/commands", world.stack.addresses.http_api));
            let request = request.header("idempotency-key", &key).body(body.clone());
            posts.spawn(async move {
                let response = request.send().await.expect("a response");
                (response.status().as_u16(), response.json::<Value>().await.expect("JSON")["commandId"].clone())
            });
        }
        let responses = waiting("the responses to parallel requests", posts.join_all()).await;
        for (status, command) in &responses {
            assert!(matches!(status, 200 | 202), "round {round}: {responses:?}");
            assert_eq!(command, &responses[0].1, "round {round}");
        }
        world.settle().await;
        let asked = requests(&mut pump);
        assert_eq!(asked.values().collect::<Vec<_>>(), [&(1, 1)], "round {round}, {delivery}, {callers} at once");
        let id = asked.keys().next().expect("one");
        pump.report("pump-7", json!({"executionId": id, "status": "IN_PROGRESS"})).await;
    }
    world.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 200);
    pass(&world, 15).await;
    assert_eq!(requests(&mut pump), BTreeMap::new(), "the device has answered");
    world.end().await;
}

/// The second request overtakes the first one, which is held before it has stored the command, or its execution.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn request_that_is_overtaken_asks_no_second_time() {
    for held in ["the command", "the execution"] {
        let world = World::start().await;
        let mut pump = world.thing("pump-7").await;
        let mut reached = world.hold_first(move |call| match held {
            "the command" => is_api_call(call) && call.operation == "DynamoDB.PutItem" && !stores_execution(call),
            _ => is_api_call(call) && stores_execution(call),
        });
        let body = body("direct");
        let (first, second) = world
            .while_held(post(&world, "order-66", &body), async {
                reached.recv().await.expect("the first request is held");
                world.stack.clock.advance(Duration::from_millis(1));
                post(&world, "order-66", &body).await
            })
            .await;
        assert_eq!(first.body["commandId"], second.body["commandId"], "{held}: {first:?} {second:?}");
        pass(&world, 15).await;
        assert_eq!(requests(&mut pump).values().collect::<Vec<_>>(), [&(1, 1)], "{held} is held");
        world.end().await;
    }
}

/// A device that has no other acknowledgement than its report, and takes long for it.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn doubt_ends_when_the_creator_of_a_topic_request_has_sent_it() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let mut reached = world.hold_first(|call| is_api_call(call) && call.operation == "IotData.Publish");
    let body = body("topic");
    let (first, second) = world
        .while_held(post(&world, "order-66", &body), async {
            reached.recv().await.expect("the publish is held");
            world.stack.clock.advance(Duration::from_millis(1));
            let second = post(&world, "order-66", &body).await;
            assert!(
                world.rows(EXECUTIONS).await[0].get("next_send_at").is_some(),
                "it doubts that the first one is alive"
            );
            second
        })
        .await;
    assert_eq!((first.status, second.status), (202, 202));
    pass(&world, 15).await;
    assert_eq!(requests(&mut pump).values().collect::<Vec<_>>(), [&(1, 1)]);
    assert!(world.rows(EXECUTIONS).await[0].get("next_send_at").is_none());
    world.end().await;
}

/// The process of the first request is killed at each of its calls, and its caller repeats the request after a second.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn request_that_crashed_is_sent_ten_seconds_later_if_it_is_repeated_at_once() {
    for delivery in ["direct", "topic"] {
        let mut asked = Vec::new();
        for nth in 1..=3 {
            for fault in [Fault::KillBefore, Fault::KillAfter] {
                let world = World::start().await;
                let mut pump = world.thing("pump-7").await;
                world.stack.faults.next(API, nth, fault);
                let body = body(delivery);
                let first = post(&world, "order-66", &body).await;
                assert!(first.status >= 500, "{first:?}");
                world.advance(1).await;
                let second = post(&world, "order-66", &body).await;
                assert_eq!(second.status, 202, "{second:?}");
                pass(&world, 9).await;
                let requests = requests(&mut pump);
                assert_eq!(requests.len(), 1, "{delivery}: call {nth}, {fault:?}: {requests:?}");
                asked.extend(requests.values().map(|(requests, _)| *requests));
                world.end().await;
            }
        }
        // A request that was published before the crash is published again, since nothing shows that it was.
        assert_eq!(asked, [1, 1, 1, 1, 1, 2], "{delivery}: the command, the execution, the message");
    }
}

/// The answer of the write of an execution is lost, also that of the write's repetition: the batch's next run finds the
/// row, whose creator may still be sending.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn execution_of_a_batch_is_sent_although_the_answer_of_its_write_is_lost() {
    for attempts in [1, 2] {
        let world = World::start().await;
        let mut pumps = Vec::new();
        for thing in ["pump-1", "pump-2"] {
            pumps.push(world.thing(thing).await);
        }
        world.stack.registry.add_things("pumps", &["pump-1", "pump-2"]).expect("a group");
        let (clock, mut lost) = (world.stack.clock.clone(), 0);
        world.stack.faults.plan(move |call| {
            let loses = stores_execution(call) && String::from_utf8_lossy(&call.body).contains("pump-1");
            if !loses || lost == attempts {
                return None;
            }
            lost += 1;
            // Time passes until the caller gives up to wait.
            clock.advance(Duration::from_secs(1));
            Some(Fault::AppliedThenTimeout)
        });
        let body = json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "topic"});
        assert_eq!(world.post("/commands", &body).await.status, 202);
        pass(&world, 15).await;
        for (pump, thing) in pumps.iter_mut().zip(["pump-1", "pump-2"]) {
            let asked = requests(pump);
            assert_eq!(asked.values().collect::<Vec<_>>(), [&(1, 1)], "{thing}, {attempts} answers lost");
        }
        world.end().await;
    }
}

/// The device's connection is broken: a direct message is lost with it, or its acknowledgement is.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn unacknowledged_request_goes_out_again_when_the_device_is_back() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    for round in 0..50 {
        let transit = if round % 3 == 0 { Transit::Unacknowledged } else { Transit::Lost };
        world.stack.faults.messages(move |message| if message.direct { transit } else { Transit::Delivered });
        let command = world.command("pump-7", json!({})).await;
        assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "SENT");
        world.stack.faults.messages(|_| Transit::Delivered);
        let first = requests(&mut pump);
        world.advance(if round % 2 == 0 { 2 } else { 7 }).await;
        // The device has not noticed that its connection is broken: AWS IoT closes the old one.
        let mut back = world.thing("pump-7").await;
        world.settle().await;
        let again = requests(&mut back);
        assert_eq!(again.values().collect::<Vec<_>>(), [&(1, 1)], "round {round}");
        match transit {
            Transit::Unacknowledged => assert_eq!(first, again, "the same id and attempt"),
            _ => assert_eq!(first, BTreeMap::new()),
        }
        assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "DELIVERED");
        // Acknowledged: it is not sent once more.
        pump = world.thing("pump-7").await;
        world.settle().await;
        assert_eq!(requests(&mut pump), BTreeMap::new(), "round {round}");
        let id = again.keys().next().expect("one");
        pump.report("pump-7", json!({"executionId": id, "status": "SUCCEEDED"})).await;
    }
    world.end().await;
}

/// The device is back before it is written that its message was not acknowledged: the event of its subscription finds
/// the request being sent, or is lost, or comes twice.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn device_that_is_back_before_sent_is_written_is_asked_again_once() {
    for event in [Delivery::Never, Delivery::Once, Delivery::Twice] {
        let world = World::start().await;
        let _half_open = world.thing("pump-7").await;
        let is_dispatch = |function: &str| function.contains("dispatch");
        world.stack.faults.events(move |accepted| if is_dispatch(accepted.function) { event } else { Delivery::Once });
        world.stack.faults.messages(|message| if message.direct { Transit::Lost } else { Transit::Delivered });
        let mut sent = false;
        let mut reached = world.hold_first(move |call| {
            sent |= call.operation == "IotData.SendDirectMessage";
            sent && is_api_call(call) && call.operation == "DynamoDB.UpdateItem"
        });
        let (command, mut pump) = world
            .while_held(world.command("pump-7", json!({})), async {
                reached.recv().await.expect("the write of SENT is held");
                world.stack.faults.messages(|_| Transit::Delivered);
                world.stack.clock.advance(Duration::from_secs(2));
                world.thing("pump-7").await
            })
            .await;
        world.settle().await;
        assert_eq!(requests(&mut pump).values().collect::<Vec<_>>(), [&(1, 1)], "{event:?}");
        assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "DELIVERED");
        world.end().await;
    }
}

/// A request on a topic that a device had not subscribed to, and one that it may have received.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn request_on_a_topic_goes_out_again_when_the_device_has_subscribed() {
    let world = World::start().await;
    let command = world.command("pump-7", json!({"delivery": "topic"})).await;
    world.advance(2).await;
    let mut pump = world.thing("pump-7").await;
    world.settle().await;
    assert!(pump.has_nothing(), "its message may be on its way");
    assert_eq!(world.execution(&command, "pump-7").await["deliveryStatus"], "PENDING");
    pass(&world, 8).await;
    let asked = requests(&mut pump);
    assert_eq!(asked.values().collect::<Vec<_>>(), [&(1, 1)]);
    world.advance(20).await;
    let mut back = world.thing("pump-7").await;
    world.settle().await;
    assert_eq!(requests(&mut back), asked, "the device has not answered, and may have lost it");
    let id = asked.keys().next().expect("one");
    back.report("pump-7", json!({"executionId": id, "status": "IN_PROGRESS"})).await;
    world.advance(20).await;
    let mut back = world.thing("pump-7").await;
    world.settle().await;
    assert!(back.has_nothing(), "the device has answered");
    world.end().await;
}
