//! Tests of the broker through its clients and its API.

mod answers;
mod connect;
mod connection_api;
mod delivery;
mod direct_messages;
mod faults;
mod lifecycle;
mod limits;
mod protocol_errors;
mod raw_client;
mod resending;
mod retained;
mod rumqttc_clients;
mod sessions;
mod subscription_tree;
mod topic_aliases;
mod wills;

use std::sync::Arc;

use local_clock::Clock;
use tokio::sync::mpsc;

use super::{Broker, Published};

const NOW_MS: i64 = 1_700_000_000_000;

fn broker() -> (Broker, Clock) {
    let clock = Clock::manual(NOW_MS);
    (Broker::new(clock.clone(), None), clock)
}

/// A broker whose authorizer denies one action on one resource.
fn broker_denying(action: &'static str, resource: &'static str) -> Broker {
    let authorizer = move |_: &super::Peer, request: &super::AccessRequest<'_>| {
        !(request.action == action && request.resource == resource)
    };
    Broker::new(Clock::manual(NOW_MS), Some(Arc::new(authorizer)))
}

/// The messages that the tap has received so far, without lifecycle events.
fn tapped(tap: &mut mpsc::UnboundedReceiver<Published>) -> Vec<Published> {
    let all = std::iter::from_fn(|| tap.try_recv().ok());
    all.filter(|published| !published.message.topic.starts_with("$aws/events/")).collect()
}

/// Topic (below `$aws/events/`) and body of the lifecycle events that the tap has received so far.
fn events(tap: &mut mpsc::UnboundedReceiver<Published>) -> Vec<(String, serde_json::Value)> {
    let all = std::iter::from_fn(|| tap.try_recv().ok()).map(|published| published.message);
    let events = all.filter_map(|message| {
        let topic = message.topic.strip_prefix("$aws/events/")?.to_owned();
        Some((topic, serde_json::from_slice(&message.payload).expect("an event is JSON")))
    });
    events.collect()
}
