//! An operator of fleets: has some things in a group, asks them, looks how it stands, and waits until it is so.

use std::sync::Arc;

use device::{
    fleet::{Fleet, FleetConfig, Knobs},
    link::Endpoint,
};
use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

/// A world that looks for what is due this often. It has come to its first full minute, from which the other looks are counted.
pub async fn ticking(seconds: &str) -> World {
    let world = World::with_parameters(&[("ReconcileSeconds", seconds)]).await;
    world.advance(60).await;
    world
}

/// Simulated things that live by the world's clock, in the group `pumps`.
pub async fn things(world: &World, prefix: &str, things: usize, knobs: Knobs) -> Fleet {
    things_with(world, things, |config| FleetConfig { prefix: prefix.to_owned(), knobs, ..config }).await
}

/// The same, and more of them is said.
pub async fn things_with(world: &World, things: usize, edit: impl FnOnce(FleetConfig) -> FleetConfig) -> Fleet {
    let (clock, alarm, address) = (world.stack.clock.clone(), world.stack.clock.clone(), world.stack.addresses.mqtt);
    let endpoint = Endpoint::plain(address.ip().to_string(), address.port());
    let mut config = FleetConfig::new(endpoint, things, Arc::new(move || clock.now_ms()));
    config.sleep_until = Some(Arc::new(move |at_ms| {
        let clock = alarm.clone();
        Box::pin(async move { clock.sleep_until(at_ms).await })
    }));
    config.shadows = false;
    let fleet = Fleet::start(edit(config)).await.expect("everything connects");
    world.stack.registry.add_things("pumps", fleet.things()).expect("a group");
    fleet
}

/// Things that all have this trouble.
pub fn all(trouble: impl FnOnce(&mut Knobs)) -> Knobs {
    let mut knobs = Knobs::default();
    trouble(&mut knobs);
    knobs
}

/// Asks for something; the command's id.
pub async fn ask(world: &World, more: Value) -> String {
    let mut body = json!({"name": "reboot", "target": {"groups": ["pumps"]}});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let answer = world.post("/commands", &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.body["commandId"].as_str().expect("an id").to_owned()
}

/// How it stands.
pub async fn shown(world: &World, id: &str) -> Value {
    let answer = world.get(&format!("/commands/{id}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// Its state in a word.
pub async fn state(world: &World, id: &str) -> String {
    shown(world, id).await["state"].as_str().expect("a word").to_owned()
}

/// How many of its executions are where.
pub async fn count(world: &World, id: &str, of: &str) -> u64 {
    shown(world, id).await["counts"][of].as_u64().expect("a number")
}

/// Pauses it, or resumes it.
pub async fn tell(world: &World, id: &str, what: &str) {
    let answer = world.request(reqwest::Method::POST, &format!("/commands/{id}/{what}"), &[], "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Lets so many seconds pass, one after the other.
pub async fn pass(world: &World, seconds: u64) {
    for _ in 0..seconds {
        world.advance(1).await;
    }
}

/// Lets time pass, at most so many seconds, until it stands like this; how it stands then.
pub async fn until(world: &World, id: &str, seconds: u64, is: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..seconds {
        let shown = shown(world, id).await;
        if is(&shown) {
            return shown;
        }
        world.advance(1).await;
    }
    let shown = shown(world, id).await;
    assert!(is(&shown), "after {seconds} seconds: {shown:#}");
    shown
}

/// Waits, while the world's time stands still, until so many executions are stored with this status: devices have to be heard first.
pub async fn stored(world: &World, status: &str, executions: usize) {
    let mut found = 0;
    for _ in 0..500 {
        world.stack.settle().await;
        found = world.rows(EXECUTIONS).await.iter().filter(|row| row["status"]["S"] == status).count();
        if found == executions {
            return;
        }
    }
    panic!("{found} executions are {status} instead of {executions}");
}

/// The same, until it is in this state.
pub async fn until_state(world: &World, id: &str, seconds: u64, state: &str) -> Value {
    until(world, id, seconds, |shown| shown["state"] == state).await
}

/// When the things of a fleet have begun, in milliseconds after the first of them, ascending.
pub fn begun(fleet: &Fleet) -> Vec<i64> {
    let mut begun: Vec<i64> = fleet.runs().iter().map(|run| run.started_ms).collect();
    begun.sort_unstable();
    begun.iter().map(|at| at - begun[0]).collect()
}

/// The names, as a target lists them.
pub fn listed(fleets: &[&Fleet]) -> Value {
    let names: Vec<&String> = fleets.iter().flat_map(|fleet| fleet.things()).collect();
    json!({ "things": names })
}
