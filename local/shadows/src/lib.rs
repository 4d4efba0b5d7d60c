//! The Device Shadow service, classic and named, over MQTT and REST.
//!
//! | module | holds |
//! |---|---|
//! | [`topic`] | shadow names, and the topics of a shadow |
//! | [`request`] | reads and checks the body of a request |
//! | [`limits`] | size and depth limits |
//! | [`store`] | all shadows: applies requests, produces the answers |
//! | [`document`] | one shadow: desired, reported, metadata, version |
//! | [`merge`] | merges an update into a section, and records timestamps |
//! | [`delta`] | the difference of desired and reported |
//! | [`mqtt_requests`] | executes requests on shadow topics; the messages that answer them |
//! | [`error`] | error codes and messages of AWS |

mod delta;
mod document;
mod error;
mod limits;
mod merge;
mod mqtt_requests;
mod request;
mod store;
#[cfg(test)]
mod tests;
mod topic;

use std::sync::{Arc, Mutex, MutexGuard};

use local_broker::{Broker, Message, Published};
use local_clock::Clock;
use local_journal::Journal;
use serde_json::Value;

pub use error::ShadowError;
pub use limits::Limits;
use request::{Body, Update};
use store::Store;
use topic::{Operation, RequestTopic, ShadowKey};

/// A handle on the service; clones share it.
#[derive(Clone)]
pub struct Shadows(Arc<Service>);

struct Service {
    clock: Clock,
    broker: Broker,
    journal: Journal,
    /// Answers are published while this lock is held, so that they are published in the order of their versions.
    store: Mutex<Store>,
}

impl Shadows {
    /// A service without shadows, with the default limits of AWS.
    pub fn new(clock: Clock, broker: Broker) -> Self {
        Self::with_limits(clock, broker, Limits::default())
    }

    /// As [`Shadows::new`], with other limits.
    pub fn with_limits(clock: Clock, broker: Broker, limits: Limits) -> Self {
        let journal = Journal::default();
        Self(Arc::new(Service { clock, broker, journal, store: Mutex::new(Store::new(limits)) }))
    }

    /// As [`Shadows::new`]; every accepted update is recorded in the journal.
    pub fn with_journal(clock: Clock, broker: Broker, journal: Journal) -> Self {
        let store = Mutex::new(Store::new(Limits::default()));
        Self(Arc::new(Service { clock, broker, journal, store }))
    }

    /// Handles a message of the broker's tap; ignores messages that are not shadow requests.
    pub fn on_published(&self, published: &Published) {
        if published.last_will {
            return; // As AWS IoT: a last will on a reserved topic reaches subscribers and rules only.
        }
        let Message { topic, payload, .. } = &published.message;
        // Most messages are not shadow requests; those do not wait for the lock.
        let Some(request) = RequestTopic::parse(topic) else { return };
        let mut store = self.store();
        let answers = mqtt_requests::answer(&mut store, &self.0.journal, self.0.clock.now_s(), request, topic, payload);
        self.publish(answers);
    }

    /// GetThingShadow: the document, with `state.delta` if desired and reported differ.
    ///
    /// # Errors
    /// A name is invalid, or the shadow does not exist.
    pub fn get(&self, thing: &str, shadow: Option<&str>) -> Result<Value, ShadowError> {
        let key = ShadowKey::new(thing, shadow)?;
        self.store().get(&key, None, self.0.clock.now_s())
    }

    /// UpdateThingShadow: the accepted document. An accepted update is published to subscribers; a rejected one is not.
    ///
    /// # Errors
    /// A name or the payload is invalid, the version conflicts, or the document would be too large.
    pub fn update(&self, thing: &str, shadow: Option<&str>, payload: &[u8]) -> Result<Value, ShadowError> {
        let key = ShadowKey::new(thing, shadow)?;
        let mut store = self.store();
        let update = Update::new(Body::parse(payload, store.limits())?)?;
        let updated = store.update(&key, &update, self.0.clock.now_s())?;
        self.publish(mqtt_requests::record_update(&self.0.journal, &key, &updated));
        Ok(updated.accepted)
    }

    /// DeleteThingShadow: the deleted version and the time.
    ///
    /// # Errors
    /// A name is invalid, or the shadow does not exist.
    pub fn delete(&self, thing: &str, shadow: Option<&str>) -> Result<Value, ShadowError> {
        let key = ShadowKey::new(thing, shadow)?;
        let mut store = self.store();
        let answer = store.delete(&key, None, self.0.clock.now_s())?;
        self.publish([mqtt_requests::accepted_message(&key, Operation::Delete, &answer)]);
        Ok(answer)
    }

    /// ListNamedShadowsForThing: sorted; empty for an unknown thing.
    ///
    /// # Errors
    /// The thing name is invalid.
    pub fn named_shadows(&self, thing: &str) -> Result<Vec<String>, ShadowError> {
        topic::check_thing(thing)?;
        Ok(self.store().named_shadows(thing).map(str::to_owned).collect())
    }

    /// All shadows, for [`Shadows::restore`].
    pub fn snapshot(&self) -> Value {
        serde_json::to_value(&*self.store()).unwrap_or_else(|error| {
            tracing::error!(%error, "the shadows cannot be saved");
            Value::Null
        })
    }

    /// Replaces all shadows by those of a snapshot.
    ///
    /// # Errors
    /// The snapshot cannot be read; then no shadow changes.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        let saved = <Store as serde::Deserialize>::deserialize(state)?;
        self.store().replace(saved);
        Ok(())
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn publish(&self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            let topic = message.topic.clone();
            if let Err(error) = self.0.broker.publish(message) {
                tracing::warn!(%topic, %error, "a shadow message was not published");
            }
        }
    }
}
