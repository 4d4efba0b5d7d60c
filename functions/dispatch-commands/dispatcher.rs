//! `Dispatcher`: what the processing of the batches of one event shares: clients, clock, claim token and throttle.

use domain::{Actor, Timestamp};

use super::throttle::Throttle;
use runtime::clients::Clients;
use runtime::event_calls::{Driver, driver};
use runtime::event_clock::EventClock;

/// Processes the batches of one event.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    pub clients: Clients,
    pub clock: EventClock,
    /// The event's request id: a part of the token of each claim.
    pub token: String,
    pub throttle: Throttle,
}

impl Dispatcher {
    /// A driver whose clock starts now: the time that earlier executions took does not count for the next one.
    pub(super) fn driver(&self) -> Driver<'_> {
        driver(&self.clients, EventClock::start(self.now()), self.actor(), &self.token)
    }

    pub(super) fn actor(&self) -> Actor {
        Actor::function("dispatch-commands")
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
