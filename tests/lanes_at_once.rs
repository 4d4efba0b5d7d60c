//! Many commands of one lane end at the same time: the work grows with their number, not with its square, and nothing
//! else waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use local::clock::Clock;
use local::faults::Fault;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use crate::deadline::waiting;
use crate::world::{EXECUTIONS, World};

/// How commands are created in lanes, all of which end at one time.
struct Lanes {
    things: usize,
    in_each: usize,
    lane: Value,
}

impl Lanes {
    /// Creates the commands, thing by thing, and a plain one besides; all of them end `seconds` from now.
    async fn create(&self, world: &World, seconds: i64) -> i64 {
        let end = world.stack.clock.now_s() + seconds;
        let ttl = || end - world.stack.clock.now_s();
        for thing in 0..self.things {
            for _ in 0..self.in_each {
                world.command(&format!("tank-{thing}"), json!({"lane": self.lane, "ttl": ttl()})).await;
            }
        }
        world.command("plain", json!({"ttl": ttl()})).await;
        end
    }

    fn commands(&self) -> usize {
        self.things * self.in_each + 1
    }
}

/// All items of the table of executions, which may take several pages.
async fn items(world: &World) -> Vec<Value> {
    let (mut items, mut scan) = (Vec::new(), json!({"TableName": EXECUTIONS, "ConsistentRead": true}));
    loop {
        let page = world.dynamodb("Scan", &scan).await;
        items.extend(page["Items"].as_array().expect("a list").iter().cloned());
        match page.get("LastEvaluatedKey") {
            Some(key) => scan["ExclusiveStartKey"] = key.clone(),
            None => return items,
        }
    }
}

/// The number of executions with each reason of their end; `open` of those without one.
async fn reasons(world: &World) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for row in items(world).await.iter().filter(|row| row.get("status").is_some()) {
        *counts.entry(row["verdict"]["S"].as_str().unwrap_or("open").to_owned()).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// The ids that are left in the queues of lanes.
async fn queued(world: &World) -> usize {
    items(world).await.iter().filter_map(|row| row["ids"]["L"].as_array()).map(Vec::len).sum()
}

async fn tick(world: &World, seconds: u64) {
    world.advance(seconds).await;
    let tick = json!({"kind": "tick", "scheduledTime": world.now()}).to_string();
    world.invoke("reconcile-commands", &tick).await.expect("a tick");
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn lanes_of_a_hundred_that_end_at_once_are_settled_in_linear_time() {
    let world = World::start().await;
    let lanes = Lanes { things: 10, in_each: 100, lane: json!("valve") };
    lanes.create(&world, 20).await;
    tick(&world, 15).await;
    assert_eq!(reasons(&world).await, [("open".to_owned(), lanes.commands())]);
    world.stack.dynamodb.reset_capacity();
    tick(&world, 6).await;
    let written: f64 = world.stack.dynamodb.capacity().values().map(|units| units.write).sum();
    let each = written / lanes.commands() as f64;
    let races = world.counted("reconcile-commands", "RacesLost");
    println!("{each:.2} write units a command, {races} lost races");
    // The heads and the plain one were queued for their devices.
    assert_eq!(reasons(&world).await, [("EXPIRED".to_owned(), 11), ("LANE_BUSY".to_owned(), 990)]);
    assert_eq!(queued(&world).await, 0);
    assert!(races < lanes.commands() / 4, "{races} lost races");
    assert!(each < 3.0, "{each} write units a command");
    // The lane is free.
    let command = world.command("tank-3", json!({"lane": "valve"})).await;
    assert_eq!(world.execution(&command, "tank-3").await["deliveryStatus"], "QUEUED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn cancel_of_the_head_ends_those_behind_it_in_one_request() {
    let world = World::start().await;
    let lanes = Lanes { things: 0, in_each: 0, lane: json!("valve") };
    let head = world.command("tank-0", json!({"lane": lanes.lane})).await;
    for _ in 1..100 {
        world.command("tank-0", json!({"lane": lanes.lane})).await;
    }
    world.stack.dynamodb.reset_capacity();
    assert_eq!(world.cancel(&head, false).await.status, 200);
    world.settle().await;
    let written: f64 = world.stack.dynamodb.capacity().values().map(|units| units.write).sum();
    assert_eq!(reasons(&world).await, [("CANCELED_BY_OPERATOR".to_owned(), 1), ("LANE_STOPPED".to_owned(), 99)]);
    assert_eq!(queued(&world).await, 0);
    assert!(written < 300.0, "{written} write units");
    world.end().await;
}

/// Where failures are skipped, those that have not expired stay, and the next of them is sent.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn commands_that_expire_before_others_of_their_lane_leave_it() {
    let world = World::start().await;
    let lane = json!({"name": "valve", "onFailure": "skip"});
    let mut later = Vec::new();
    for n in 0..12 {
        let ttl = if n % 3 == 2 { 300 } else { 20 };
        let command = world.command("tank-0", json!({"lane": lane, "ttl": ttl, "payload": n})).await;
        later.extend((ttl == 300).then_some(command));
    }
    tick(&world, 21).await;
    tick(&world, 11).await;
    let expected = [("EXPIRED", 1), ("LANE_BUSY", 7), ("open", 4)].map(|(reason, n)| (reason.to_owned(), n));
    assert_eq!(reasons(&world).await, expected);
    assert_eq!(queued(&world).await, 4);
    assert_eq!(world.execution(&later[0], "tank-0").await["deliveryStatus"], "QUEUED");
    let mut tank = world.thing("tank-0").await;
    for n in [2, 5, 8, 11] {
        let (_, request) = tank.next_json().await;
        assert_eq!(request["payload"], n);
        tank.report("tank-0", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
        world.settle().await;
    }
    assert_eq!(queued(&world).await, 0);
    world.end().await;
}

/// The function that has claimed a lane crashes: another one settles it ten seconds later.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn lane_is_settled_although_the_function_that_claimed_it_crashes() {
    for killed_at in ["settling = :token", "REMOVE ids[0]"] {
        for fault in [Fault::KillBefore, Fault::KillAfter] {
            let world = World::start().await;
            let lanes = Lanes { things: 1, in_each: 6, lane: json!("valve") };
            lanes.create(&world, 20).await;
            let killed = Arc::new(AtomicBool::new(false));
            let is_killed = killed.clone();
            world.stack.faults.plan(move |call| {
                let is_it = call.operation == "DynamoDB.UpdateItem"
                    && call.function.contains("reconcile")
                    && String::from_utf8_lossy(&call.body).contains(killed_at);
                (is_it && !is_killed.swap(true, Ordering::Relaxed)).then_some(fault)
            });
            world.advance(21).await;
            assert!(killed.load(Ordering::Relaxed), "{killed_at} {fault:?}: no function is killed");
            for _ in 0..3 {
                tick(&world, 11).await;
            }
            let expected = [("EXPIRED".to_owned(), 2), ("LANE_BUSY".to_owned(), 5)];
            assert_eq!(reasons(&world).await, expected, "{killed_at} {fault:?}");
            assert_eq!(queued(&world).await, 0, "{killed_at} {fault:?}");
            world.end().await;
        }
    }
}

/// Commands enter the lane after the function that settles it has read the queue.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn commands_that_enter_a_lane_while_it_is_settled_are_sent() {
    for (in_each, on_failure) in [(6, "stop"), (6, "skip"), (100, "stop")] {
        for held in ["DynamoDB.BatchGetItem", "DynamoDB.UpdateItem"] {
            let case = format!("{in_each} commands, {on_failure}, at {held}");
            let world = World::start().await;
            let lane = json!({"name": "valve", "onFailure": on_failure});
            Lanes { things: 1, in_each, lane: lane.clone() }.create(&world, 20).await;
            // The last write of the settlement removes the executions from the queue.
            let mut reached = world.hold_first(move |call| {
                let is_last = String::from_utf8_lossy(&call.body).contains("REMOVE ids[0], ids[1]");
                call.function.contains("reconcile")
                    && call.operation == held
                    && (is_last || held == "DynamoDB.BatchGetItem")
            });
            let settled = world.while_held(world.advance(21), async {
                reached.recv().await.expect("the settlement is held");
                let mut entered = Vec::new();
                for n in 0..3 {
                    let body = json!({
                        "name": "reboot", "target": {"things": ["tank-0"]}, "lane": lane, "ttl": 300, "payload": n,
                    });
                    entered.push(world.post("/commands", &body).await.status);
                }
                entered
            });
            let (_, entered) = settled.await;
            let expected = if in_each < 100 { [202; 3] } else { [429; 3] };
            assert_eq!(entered, expected, "{case}");
            let sent = if in_each < 100 { 3 } else { 0 };
            assert_eq!(queued(&world).await, sent, "{case}");
            let mut tank = world.thing("tank-0").await;
            for n in 0..sent {
                let (_, request) = tank.next_json().await;
                assert_eq!(request["payload"], json!(n), "{case}");
                tank.report("tank-0", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
                world.settle().await;
            }
            assert_eq!(queued(&world).await, 0, "{case}");
            world.end().await;
        }
    }
}

/// The function that settles the lane does not see that one of its executions comes due meanwhile.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn command_that_comes_due_while_its_lane_is_settled_ends_without_a_tick() {
    let world = World::start().await;
    let lane = json!({"name": "valve", "onFailure": "skip"});
    Lanes { things: 1, in_each: 6, lane: lane.clone() }.create(&world, 20).await;
    let later = world.command("tank-0", json!({"lane": lane, "ttl": 23})).await;
    let id = world.execution(&later, "tank-0").await["executionId"].as_str().expect("an id").to_owned();
    let (seen, mut calls) = unbounded_channel();
    let (mut is_held, mut of_later) = (false, None);
    world.stack.faults.plan(move |call| {
        let fault = (!is_held && call.operation == "DynamoDB.BatchGetItem").then_some(Fault::Held);
        is_held |= fault.is_some();
        if is_held && call.operation == "DynamoDB.GetItem" && String::from_utf8_lossy(&call.body).contains(&id) {
            of_later = Some(call.invoke.clone());
        }
        // The function of the later one has found the lane claimed, and sends a wake for the end of the claim.
        let by_later = is_held && of_later.as_ref() == Some(&call.invoke);
        if fault.is_some() || (by_later && call.operation.starts_with("SQS.SendMessage")) {
            let _ = seen.send(());
        }
        fault
    });
    world.advance(19).await;
    for seconds in [1, 3] {
        world.stack.clock.advance(Duration::from_secs(seconds));
        waiting("the function that settles the lane, then that of the later one", calls.recv()).await;
    }
    world.while_held(world.settle(), async {}).await;
    assert_eq!(reasons(&world).await, [("EXPIRED".to_owned(), 2), ("LANE_BUSY".to_owned(), 5), ("open".to_owned(), 1)]);
    world.advance(9).await;
    assert_eq!(world.status(&later, "tank-0").await, ("TIMED_OUT".to_owned(), "EXPIRED".to_owned()));
    assert_eq!(reasons(&world).await.last(), Some(&("LANE_BUSY".to_owned(), 5)), "it is written");
    assert_eq!(queued(&world).await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "it takes two minutes of the system's clock"]
async fn lanes_of_a_hundred_are_settled_in_time_on_the_systems_clock() {
    let world = World::on_clock(Clock::system(), false, &[], |template| template).await;
    let lanes = Lanes { things: 10, in_each: 100, lane: json!("valve") };
    let started = Instant::now();
    let end = lanes.create(&world, 120).await;
    println!("created in {:.1} s", started.elapsed().as_secs_f64());
    assert!(world.stack.clock.now_s() < end, "the commands could not be created in time");
    while world.stack.clock.now_s() < end {
        waiting("the end of the ttl", tokio::time::sleep(Duration::from_millis(100))).await;
    }
    let ended = |rows: &[(String, usize)]| !rows.iter().any(|(reason, _)| reason == "open");
    let due = Instant::now();
    let mut plain = None;
    while !ended(&reasons(&world).await) || queued(&world).await > 0 {
        assert!(due.elapsed().as_secs() < 60, "{:?}", reasons(&world).await);
        if plain.is_none() {
            let done =
                items(&world).await.iter().any(|row| row["pk"]["S"] == "T#plain" && row.get("verdict").is_some());
            plain = done.then(|| due.elapsed());
        }
        waiting("the end of the commands", tokio::time::sleep(Duration::from_millis(200))).await;
    }
    let races = world.counted("reconcile-commands", "RacesLost");
    println!("settled after {:?}, the plain one after {plain:?}; {races} lost races", due.elapsed());
    assert!(due.elapsed().as_secs() < 20, "{:?}", due.elapsed());
    assert!(races < lanes.commands());
    world.end().await;
}
