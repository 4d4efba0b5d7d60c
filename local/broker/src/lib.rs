//! The AWS IoT Core message broker: MQTT 3.1.1 and 5 with QoS 0 and 1, and AWS's own rules and limits.
//!
//! | module | holds |
//! |---|---|
//! | [`access`] | the peer of a connection, and the authorizer that allows or denies its actions |
//! | [`connection`] | one client connection, from its first byte to its last |
//! | [`handshake`] | checks a CONNECT packet |
//! | [`codec`] | MQTT packets: decoding and encoding |
//! | [`attaching`] | a client connects or disconnects: sessions, wills, lifecycle events |
//! | [`lifecycle`] | the lifecycle events that AWS IoT publishes below `$aws/events/` |
//! | [`client`] | one client id: its session and its connection |
//! | [`session`] | a session: subscriptions, and QoS 1 messages without a PUBACK |
//! | [`link`] | the outgoing queue of one open connection |
//! | [`state`] | everything that the broker holds, behind one lock, and the path of a message through it |
//! | [`message`] | a message, its properties and its publisher |
//! | [`publishing`] | publishing by AWS services, and taps |
//! | [`subscribing`] | SUBSCRIBE and UNSUBSCRIBE |
//! | [`subscriptions`] | all subscriptions, in a tree of topic levels |
//! | [`retained`] | retained messages |
//! | [`direct`] | direct messages to one connected client |
//! | [`connections`] | GetConnection, ListSubscriptions, DeleteConnection |
//! | [`topic`] | which topics and filters are allowed |
//! | [`matching`] | whether a topic filter matches a topic |
//! | [`wire`] | the last step to a client, where faults and the journal come in |
//! | [`limits`] | AWS IoT Core quotas, and the bounds of this broker |

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

use local_clock::Clock;
use local_faults::Faults;
use local_journal::Journal;

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
