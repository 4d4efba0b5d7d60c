//! A fleet command from the request to its end.

use std::{sync::Arc, time::Duration};

use device::{
    fleet::{Fleet, FleetConfig, Knobs},
    link::Endpoint,
};
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
        tokio::time::sleep(Duration::from_millis(100)).await;
        shown = world.get(&format!("/commands/{id}")).await.body;
        println!("{}", shown["counts"]);
        if shown["state"] == "COMPLETED" {
            break;
        }
    }
    println!("{shown:#}");
    assert_eq!(shown["state"], "COMPLETED");
    assert_eq!(shown["counts"]["SUCCEEDED"], 250);
    assert_eq!(world.rows(EXECUTIONS).await.len(), 250);
    fleet.stop().await;
    world.end().await;
}
