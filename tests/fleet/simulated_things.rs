//! Simulated things on the clock of a world: how a test starts them, and what they ran.

use std::sync::Arc;

use device::{
    fleet::{BehaviourShares, Fleet, FleetConfig},
    link::Endpoint,
};
use serde_json::{Value, json};

use crate::deadline::waiting;
use crate::history;
use crate::world::World;

/// Starts things in the group `pumps`.
pub async fn start_things(world: &World, prefix: &str, count: usize, shares: BehaviourShares) -> Fleet {
    start_things_with(world, count, |config| FleetConfig { prefix: prefix.to_owned(), shares, ..config }).await
}

/// Starts things in the group `pumps` with an edited configuration.
pub async fn start_things_with(world: &World, count: usize, edit: impl FnOnce(FleetConfig) -> FleetConfig) -> Fleet {
    let fleet = start(world, edit(config(world, count))).await;
    world.stack.registry.add_things("pumps", fleet.things()).expect("the group is valid");
    fleet
}

/// Starts things in no group.
pub async fn start_ungrouped_things(world: &World, prefix: &str, count: usize, shares: BehaviourShares) -> Fleet {
    start(world, FleetConfig { prefix: prefix.to_owned(), shares, ..config(world, count) }).await
}

/// Starts the things; from now on the stack is idle only when none of them has work in hand.
async fn start(world: &World, config: FleetConfig) -> Fleet {
    let fleet = waiting("every thing to connect and subscribe", Fleet::start(config)).await;
    let fleet = fleet.expect("every thing connects and subscribes");
    world.stack.attend(fleet.in_hand());
    fleet
}

/// Things on the world's clock, without classic shadows.
fn config(world: &World, count: usize) -> FleetConfig {
    let (clock, timer_clock, address) =
        (world.stack.clock.clone(), world.stack.clock.clone(), world.stack.addresses.mqtt);
    let endpoint = Endpoint::plain(address.ip().to_string(), address.port());
    let mut config = FleetConfig::new(endpoint, count, Arc::new(move || clock.now_ms()));
    config.sleep_until = Some(Arc::new(move |at_ms| {
        let clock = timer_clock.clone();
        Box::pin(async move { clock.sleep_until(at_ms).await })
    }));
    config.shadows = false;
    config
}

/// Shares that are zero except for those that `set` changes.
pub fn shares(set: impl FnOnce(&mut BehaviourShares)) -> BehaviourShares {
    let mut shares = BehaviourShares::default();
    set(&mut shares);
    shares
}

/// What the things ran, as entries of a history.
pub fn runs(fleet: &Fleet) -> Vec<history::Run> {
    let run = |run: device::fleet::Run| history::Run {
        at_ms: run.started_ms,
        thing: run.thing,
        execution: run.execution_id,
        attempt: run.attempt.into(),
    };
    fleet.runs().into_iter().map(run).collect()
}

/// Milliseconds between the first start of a run and each start, ascending.
pub fn start_offsets_ms(fleet: &Fleet) -> Vec<i64> {
    let mut starts: Vec<i64> = fleet.runs().iter().map(|run| run.started_ms).collect();
    starts.sort_unstable();
    starts.iter().map(|at_ms| at_ms - starts[0]).collect()
}

/// A target that lists the things of these fleets.
pub fn listed_target(fleets: &[&Fleet]) -> Value {
    let names: Vec<&String> = fleets.iter().flat_map(|fleet| fleet.things()).collect();
    json!({ "things": names })
}
