//! The AWS IoT Core message broker: MQTT 3.1.1 and 5 with QoS 0 and 1, and the rules and limits of AWS IoT.
//!
//! | module | holds |
//! |---|---|
//! | [`authorization`] | the peer of a connection, and the authorizer that allows or denies its actions |
//! | [`connection`] | the task of one client connection, from CONNECT to its end |
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
//! | [`saved_sessions`] | persistent sessions in the saved state |
//! | [`direct_messages`] | direct messages to one connected client |
//! | [`answers`] | answers of a service to the client that asked |
//! | [`connection_api`] | GetConnection, ListSubscriptions, DeleteConnection |
//! | [`topic`] | which topics and filters are allowed |
//! | [`matching`] | whether a topic filter matches a topic |
//! | [`transmission`] | sends a message to one client; injects faults, records the journal |
//! | [`limits`] | AWS IoT Core quotas, and the bounds of this broker |

mod answers;
mod attaching;
mod authorization;
mod client;
mod codec;
mod connection;
mod connection_api;
mod direct_messages;
mod handshake;
mod lifecycle;
mod limits;
mod link;
mod matching;
mod message;
mod publishing;
mod retained;
mod saved_sessions;
mod session;
mod state;
mod subscribing;
mod subscriptions;
mod topic;
mod transmission;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard};

use local_clock::Clock;
use local_faults::Faults;
use local_journal::Journal;

pub use authorization::{AccessRequest, Authorizer, Peer, Principal};
pub use connection_api::{Connection, Subscription};
pub use direct_messages::DirectError;
pub use matching::matches;
pub use message::{Message, Properties, Published, Publisher};
pub use publishing::PublishError;
pub use topic::check_client_topic;
use transmission::Transmission;

type ClientId = Arc<str>;

/// A handle on the broker; clones share it.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

struct Shared {
    authorizer: Option<Authorizer>,
    state: Mutex<state::State>,
}

impl Broker {
    /// A broker without clients. Sessions, messages and confirmations of direct messages expire by
    /// `clock`; the timeouts of connections (CONNECT, keep-alive, close) are real time.
    pub fn new(clock: Clock, authorizer: Option<Authorizer>) -> Self {
        Self::with_faults_and_journal(clock, authorizer, Faults::default(), Journal::default())
    }

    /// As [`Broker::new`], with faults injected into messages to clients, and all messages recorded in the journal.
    pub fn with_faults_and_journal(
        clock: Clock,
        authorizer: Option<Authorizer>,
        faults: Faults,
        journal: Journal,
    ) -> Self {
        Self(Arc::new(Shared {
            authorizer,
            state: Mutex::new(state::State::new(clock, Transmission { faults, journal })),
        }))
    }

    fn authorizer(&self) -> Option<Authorizer> {
        self.0.authorizer.clone()
    }

    fn lock(&self) -> MutexGuard<'_, state::State> {
        // Each call leaves the state consistent, so a panic of another thread does not invalidate it.
        self.0.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
