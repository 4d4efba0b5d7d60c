//! A fleet command from the request to its end.

use std::sync::Arc;

use device::{
    fleet::{Fleet, FleetConfig, Knobs},
    link::Endpoint,
};
use local::faults::Fault;
use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

/// A simulated fleet on the world's clock, all of them in one group.
pub async fn fleet(world: &World, things: usize, knobs: Knobs) -> Fleet {
    let (clock, address) = (world.stack.clock.clone(), world.stack.addresses.mqtt);
    let endpoint = Endpoint::plain(address.ip().to_string(), address.port());
    let config = FleetConfig { knobs, ..FleetConfig::new(endpoint, things, Arc::new(move || clock.now_ms())) };
    let fleet = Fleet::start(config).await.expect("everything connects");
    world.stack.registry.add_things("pumps", fleet.things()).expect("a group");
    fleet
}

/// Lets everything happen that takes no more than so many seconds.
pub async fn pass(world: &World, seconds: u64) {
    for _ in 0..seconds {
        world.advance(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_commanded_and_counted() {
    let world = World::start().await;
    let fleet = fleet(&world, 250, Knobs::default()).await;
    let answer = world.post("/commands", &json!({"name": "reboot", "target": {"groups": ["pumps"]}})).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.body["commandId"].as_str().expect("an id").to_owned();
    let mut shown = Value::Null;
    for _ in 0..30 {
        pass(&world, 1).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn the_first_batches_go_out_while_the_rest_is_still_planned() {
    let world = World::start().await;
    let names: Vec<String> = (0..450).map(|n| format!("pump-{n:03}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    world.stack.settle().await;
    // The second page of three does not come.
    world.stack.faults.plan(|call| {
        let next_page = call.operation == "Iot.ListThingsInThingGroup" && call.path.contains("nextToken");
        (next_page && call.function == "flaghoist-fan-out-command").then_some(Fault::Held)
    });
    let body = json!({"name": "reboot", "delivery": "topic", "target": {"groups": ["pumps"]}});
    let answer = world.post("/commands", &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.body["commandId"].as_str().expect("an id");
    // Nothing settles meanwhile.
    let mut rows = 0;
    for _ in 0..2_000 {
        rows = world.rows(EXECUTIONS).await.len();
        if rows == 200 {
            break;
        }
    }
    assert_eq!(rows, 200, "the first page is out");
    let shown = world.get(&format!("/commands/{id}")).await.body;
    assert_eq!((&shown["plan"]["complete"], shown["state"].as_str()), (&json!(false), Some("PLANNING")), "{shown:#}");
    world.stack.faults.clear();
    world.stack.settle().await;
    assert_eq!(world.rows(EXECUTIONS).await.len(), 450);
    world.end().await;
}
