//! Commands for unmodified devices of AWS's IoT Atlas: one at a time in the classic shadow, gone before the ttl ends.
//! Such a device runs an entry again, or after its time, unless the cloud prevents it.
//!
//! | file | holds |
//! |---|---|
//! | [`cleanup`] | clean-up when the shadow changes at the same time |
//! | [`entry`] | the entry in the shadow, and its repeated deltas |
//! | [`expiry`] | clean-up before a late device could run the entry |
//! | [`mixed`] | beside desired states on the same shadow |
//! | [`order`] | one entry at a time |
//! | [`reports`] | relayed messages and echoes |

mod cleanup;
mod entry;
mod expiry;
mod mixed;
mod order;
mod reports;

use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

const THING: &str = "motor-1";

async fn world_with(parameters: &[(&str, &str)]) -> World {
    let world = World::with_parameters(parameters).await;
    world.update_shadow(THING, Some("cmd"), &json!({"desired": {"dialect": "atlas"}}));
    // An Atlas device needs a classic shadow before it connects.
    world.update_shadow(THING, None, &json!({"desired": {"deviceAttrib": {"motorStatus": "off"}}}));
    world
}

async fn world() -> World {
    world_with(&[]).await
}

fn body(message: &str, ttl: u32) -> Value {
    json!({"name": "relay-command", "payload": message, "delivery": "shadow", "ttl": ttl})
}

/// Creates a command. Returns its id.
async fn create(world: &World, message: &str, ttl: u32) -> String {
    world.command(THING, body(message, ttl)).await
}

/// Sets a desired attribute of the device, as a third writer.
fn set_motor(world: &World, status: &str) {
    world.update_shadow(THING, None, &json!({"desired": {"deviceAttrib": {"motorStatus": status}}}));
}

fn state(world: &World) -> Value {
    world.shadow(THING, None)["state"].clone()
}

/// `desired.command` of the classic shadow.
fn desired_command(world: &World) -> Option<Value> {
    state(world)["desired"].get("command").cloned()
}

/// Whether no section of the shadow holds a command.
fn is_clean(world: &World) -> bool {
    !state(world).to_string().contains("relay-command")
}

/// Whether no row is in the due index.
async fn is_idle(world: &World) -> bool {
    world.rows(EXECUTIONS).await.iter().all(|row| row.get("due_at").is_none())
}

fn status_and_reason(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}
