//! The look-ahead of a tick of the schedule: it sends the wakes of what is due in the minute after its own.
//!
//! One message for each second and shard in which something is due, however much that is.

use std::collections::BTreeSet;

use aws::Error;
use domain::{FLEET_SHARDS, Timestamp, Wake, wake::horizon::look_ahead};
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::chain;
use tokio::task::JoinSet;

/// The most entries of a shard that one query reads: keys only, so a page is a fraction of DynamoDB's megabyte.
const PAGE_SIZE: u16 = 1000;

/// Sends the wakes of the minute after that of the tick. A shard that can't be read is logged: its work waits for the
/// ticks.
pub(super) async fn send_wakes(clients: &Clients, clock: EventClock, scheduled: Timestamp) {
    let mut shards = JoinSet::new();
    for shard in clients.executions.shards().all() {
        let clients = clients.clone();
        shards.spawn(async move { due_seconds(&clients, shard, scheduled).await });
    }
    for shard in 0..FLEET_SHARDS {
        let clients = clients.clone();
        shards.spawn(async move { due_fleet_seconds(&clients, shard, scheduled).await });
    }
    let mut wakes = Vec::new();
    while let Some(shard) = shards.join_next().await {
        match shard {
            Ok(Ok(found)) => wakes.extend(found),
            Ok(Err(error)) => tracing::warn!(error = chain(&error), "what is due soon could not be read"),
            Err(error) => tracing::error!(%error, "the task of a shard panicked"),
        }
    }
    // The earliest first, in case the time of the invocation is over before all are sent.
    wakes.sort_by_key(Wake::at);
    if !wakes.is_empty() {
        clients.wakes.send(&wakes, clock).await;
    }
}

/// The wakes of the executions of a shard.
async fn due_seconds(clients: &Clients, shard: u8, scheduled: Timestamp) -> Result<Vec<Wake>, Error> {
    let (range, mut seconds, mut after) = (look_ahead(scheduled), BTreeSet::new(), None);
    loop {
        let page = clients.executions.due(shard, &range, after, PAGE_SIZE).await?;
        seconds.extend(page.entries.iter().map(|due| due.at));
        after = page.next;
        if after.is_none() {
            return Ok(seconds.into_iter().map(|at| Wake::Second { shard, at }).collect());
        }
    }
}

/// The wakes of the plans and batches of a shard.
async fn due_fleet_seconds(clients: &Clients, shard: u8, scheduled: Timestamp) -> Result<Vec<Wake>, Error> {
    let (range, mut seconds, mut after) = (look_ahead(scheduled), BTreeSet::new(), None);
    loop {
        let page = clients.fleets.due(shard, &range, after, PAGE_SIZE).await?;
        seconds.extend(page.entries.iter().map(|due| due.at));
        after = page.next;
        if after.is_none() {
            return Ok(seconds.into_iter().map(|at| Wake::Fleet { shard, at }).collect());
        }
    }
}
