//! A command for a thing group, from the request to its end.

use std::sync::Arc;

use device::{
    fleet::{Fleet, FleetConfig},
    link::Endpoint,
};
use local::faults::Fault;
use serde_json::{Value, json};

use super::operator::{create, pass_seconds, show};
use crate::deadline::waiting;
use crate::world::{EXECUTIONS, World};

/// Starts simulated things with classic shadows, on the world's clock, in the group `pumps`.
async fn start_shadow_things(world: &World, count: usize) -> Fleet {
    let (clock, address) = (world.stack.clock.clone(), world.stack.addresses.mqtt);
    let endpoint = Endpoint::plain(address.ip().to_string(), address.port());
    let timer_clock = clock.clone();
    let mut config = FleetConfig::new(endpoint, count, Arc::new(move || clock.now_ms()));
    config.sleep_until = Some(Arc::new(move |at_ms| {
        let clock = timer_clock.clone();
        Box::pin(async move { clock.sleep_until(at_ms).await })
    }));
    let fleet = waiting("every thing to connect and subscribe", Fleet::start(config)).await;
    let fleet = fleet.expect("every thing connects and subscribes");
    world.stack.attend(fleet.in_hand());
    world.stack.registry.add_things("pumps", fleet.things()).expect("the group is valid");
    fleet
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn command_for_a_group_runs_on_every_thing_and_is_counted() {
    let world = World::start().await;
    let fleet = start_shadow_things(&world, 250).await;
    let id = create(&world, json!({})).await;
    let mut shown = Value::Null;
    for _ in 0..30 {
        pass_seconds(&world, 1).await;
        shown = world.get(&format!("/commands/{id}")).await.body;
        if shown["state"] == "COMPLETED" {
            break;
        }
    }
    assert_eq!(shown["state"], "COMPLETED", "{shown:#}");
    assert_eq!(shown["counts"]["SUCCEEDED"], 250);
    assert_eq!(world.rows(EXECUTIONS).await.len(), 250);
    fleet.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn first_batches_are_sent_while_the_target_is_still_being_read() {
    let world = World::start().await;
    let names: Vec<String> = (0..450).map(|n| format!("pump-{n:03}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    world.settle().await;
    // The second of three pages is held back.
    world.stack.faults.plan(|call| {
        let is_next_page = call.operation == "Iot.ListThingsInThingGroup" && call.path.contains("nextToken");
        (is_next_page && call.function == "flaghoist-fan-out-command").then_some(Fault::Held)
    });
    let id = create(&world, json!({"delivery": "topic"})).await;
    // The stack does not settle while a call is held.
    let mut rows = 0;
    for _ in 0..2_000 {
        rows = world.rows(EXECUTIONS).await.len();
        if rows == 200 {
            break;
        }
    }
    assert_eq!(rows, 200, "executions of the first page");
    let shown = show(&world, &id).await;
    assert_eq!((&shown["plan"]["complete"], shown["state"].as_str()), (&json!(false), Some("PLANNING")), "{shown:#}");
    world.stack.faults.clear();
    world.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 450);
    world.end().await;
}
