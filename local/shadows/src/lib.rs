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
//! | [`over_mqtt`] | a request on a topic, and the messages that answer it |
//! | [`error`] | error codes and messages of AWS |

mod delta;
mod document;
mod error;
mod limits;
mod merge;
mod over_mqtt;
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
use topic::{Key, Operation, RequestTopic};

/// A handle on the service; clones share it.
#[derive(Clone)]
pub struct Shadows(Arc<Service>);

struct Service {
    clock: Clock,
    broker: Broker,
    journal: Journal,
    /// Answers are published under this lock, so that they go out in the order of their versions.
    store: Mutex<Store>,
}

impl Shadows {
    /// A service without shadows, with AWS's limits.
    pub fn new(clock: Clock, broker: Broker) -> Self {
        Self::with_limits(clock, broker, Limits::default())
    }

    /// As [`Shadows::new`], for an account whose limits were changed.
    pub fn with_limits(clock: Clock, broker: Broker, limits: Limits) -> Self {
        let journal = Journal::default();
        Self(Arc::new(Service { clock, broker, journal, store: Mutex::new(Store::new(limits)) }))
    }

    /// As [`Shadows::new`]; the journal hears of every update.
    pub fn with_journal(clock: Clock, broker: Broker, journal: Journal) -> Self {
        let store = Mutex::new(Store::new(Limits::default()));
        Self(Arc::new(Service { clock, broker, journal, store }))
    }

    /// Handles a message of the broker's tap; ignores what is not a shadow request.
    pub fn on_published(&self, published: &Published) {
        if published.last_will {
            return; // AWS: a last will on a reserved topic reaches subscribers and rules only.
        }
        let Message { topic, payload, .. } = &published.message;
        // Most messages are none of its business: those do not wait for the store.
        let Some(request) = RequestTopic::parse(topic) else { return };
        let mut store = self.store();
        let answers = over_mqtt::answer(&mut store, &self.0.journal, self.0.clock.now_s(), request, topic, payload);
        self.publish(answers);
    }

    /// GetThingShadow: the document, with `state.delta` where desired and reported differ.
    pub fn get(&self, thing: &str, shadow: Option<&str>) -> Result<Value, ShadowError> {
        let key = Key::new(thing, shadow)?;
        self.store().get(&key, None, self.0.clock.now_s())
    }

    /// UpdateThingShadow: the accepted document. Subscribers hear of it, though never of a refusal.
    pub fn update(&self, thing: &str, shadow: Option<&str>, payload: &[u8]) -> Result<Value, ShadowError> {
        let key = Key::new(thing, shadow)?;
        let mut store = self.store();
        let update = Update::new(Body::parse(payload, store.limits())?)?;
        let updated = store.update(&key, &update, self.0.clock.now_s())?;
        self.publish(over_mqtt::updated(&self.0.journal, &key, &updated));
        Ok(updated.accepted)
    }

    /// DeleteThingShadow: the version that was deleted, and when.
    pub fn delete(&self, thing: &str, shadow: Option<&str>) -> Result<Value, ShadowError> {
        let key = Key::new(thing, shadow)?;
        let mut store = self.store();
        let answer = store.delete(&key, None, self.0.clock.now_s())?;
        self.publish([over_mqtt::accepted(&key, Operation::Delete, &answer)]);
        Ok(answer)
    }

    /// The names of a thing's named shadows, sorted; none for a thing that nobody has heard of.
    pub fn named(&self, thing: &str) -> Result<Vec<String>, ShadowError> {
        topic::check_thing(thing)?;
        Ok(self.store().named(thing).map(str::to_owned).collect())
    }

    /// Everything that [`Shadows::restore`] needs.
    pub fn snapshot(&self) -> Value {
        serde_json::to_value(&*self.store()).unwrap_or_else(|error| {
            tracing::error!(%error, "the shadows cannot be saved");
            Value::Null
        })
    }

    /// Replaces all shadows by those of a snapshot.
    ///
    /// # Errors
    /// The snapshot cannot be read; nothing has changed.
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
