//! The broker as its clients see it.

mod accepting;
mod bounds;
mod clients;
mod connection_api;
mod delivery;
mod direct;
mod faults;
mod lifecycle;
mod matching;
mod refusing;
mod retained;
mod sessions;
mod wills;
mod wire;

use std::sync::Arc;

use local_clock::Clock;
use tokio::sync::mpsc;

use super::{Broker, Published};

const NOW_MS: i64 = 1_700_000_000_000;

fn broker() -> (Broker, Clock) {
    let clock = Clock::manual(NOW_MS);
    (Broker::new(clock.clone(), None), clock)
}

/// A broker whose policy forbids one action on one resource.
fn forbidding(action: &'static str, resource: &'static str) -> Broker {
    let authorizer = move |_: &super::Peer, ask: &super::Ask<'_>| !(ask.action == action && ask.resource == resource);
    Broker::new(Clock::manual(NOW_MS), Some(Arc::new(authorizer)))
}

/// What the tap has by now, lifecycle events left out.
fn tapped(tap: &mut mpsc::UnboundedReceiver<Published>) -> Vec<Published> {
    let all = std::iter::from_fn(|| tap.try_recv().ok());
    all.filter(|published| !published.message.topic.starts_with("$aws/events/")).collect()
}

/// The lifecycle events that the tap has by now.
fn events(tap: &mut mpsc::UnboundedReceiver<Published>) -> Vec<(String, serde_json::Value)> {
    let all = std::iter::from_fn(|| tap.try_recv().ok()).map(|published| published.message);
    let events = all.filter_map(|message| {
        let topic = message.topic.strip_prefix("$aws/events/")?.to_owned();
        Some((topic, serde_json::from_slice(&message.payload).expect("an event is JSON")))
    });
    events.collect()
}
