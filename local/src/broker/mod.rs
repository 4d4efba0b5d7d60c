//! The AWS IoT Core message broker: MQTT 3.1.1 and 5, QoS 0 and 1, with AWS's own rules and inconveniences.

mod access;
mod attaching;
mod client;
mod codec;
mod connection;
mod connections;
mod direct;
mod handshake;
mod lifecycle;
mod limits;
mod link;
mod matching;
mod message;
mod publishing;
mod retained;
mod session;
mod state;
mod subscribing;
mod subscriptions;
mod topic;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard};

use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;
pub use access::{Ask, Authorizer, Peer};
pub use connections::{Connection, Subscription};
pub use direct::DirectError;
pub use matching::matches;
pub use message::{Message, Properties, Published, Publisher};
pub use publishing::PublishError;
pub use topic::check_client_topic;
use wire::Wire;

type ClientId = Arc<str>;

/// A handle on the broker; clones share it.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

struct Shared {
    authorizer: Option<Authorizer>,
    state: Mutex<state::State>,
}

impl Broker {
    /// A broker without clients. Sessions and messages expire by `clock`; keep-alive and timeouts are real time.
    pub fn new(clock: Clock, authorizer: Option<Authorizer>) -> Self {
        Self::with(clock, authorizer, Faults::default(), Journal::default())
    }

    /// As [`Broker::new`]; messages to clients meet the faults, and the journal hears of all messages.
    pub fn with(clock: Clock, authorizer: Option<Authorizer>, faults: Faults, journal: Journal) -> Self {
        Self(Arc::new(Shared { authorizer, state: Mutex::new(state::State::new(clock, Wire { faults, journal })) }))
    }

    fn authorizer(&self) -> Option<Authorizer> {
        self.0.authorizer.clone()
    }

    fn lock(&self) -> MutexGuard<'_, state::State> {
        // The state is consistent between any two calls, so a panic elsewhere does not spoil it.
        self.0.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
