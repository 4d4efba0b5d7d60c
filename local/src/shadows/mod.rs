//! The Device Shadow service, classic and named, over MQTT and REST.

use serde_json::Value;

use crate::broker::{Broker, Published};
use crate::clock::Clock;

/// A handle on the service; clones share it.
#[derive(Clone)]
pub struct Shadows {}

#[allow(unused_variables)]
impl Shadows {
    pub fn new(clock: Clock, broker: Broker) -> Self {
        unimplemented!()
    }
    /// Handles a message of the broker's tap; ignores what is not a shadow request.
    pub fn on_published(&self, published: &Published) {
        unimplemented!()
    }
    pub fn snapshot(&self) -> Value {
        unimplemented!()
    }
    pub fn restore(&self, state: &Value) {
        unimplemented!()
    }
}
