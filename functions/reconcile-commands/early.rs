//! Looks for what has to begin before its time, and sends messages that bring it ([`domain::wake::early`]). One function
//! at a time does that: two that look at the same time would bring the same work at the same time, twice.

use aws::{Error, Lease};
use domain::wake::early::{EarlyStart, Entry, MAX_EARLY_SECONDS, early_starts};
use domain::wake::looks::look_lease_until;
use domain::{Timestamp, Wake};
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use tokio::task::JoinSet;

use super::due_shard::Shard;

/// Whether no other look was begun shortly before.
///
/// # Errors
/// A failed write.
pub(super) async fn is_only_look(clients: &Clients, clock: EventClock, token: &str) -> Result<bool, Error> {
    let now = clock.event_time();
    clients.executions.take_lease(Lease::LookAhead, token, None, now, look_lease_until(now)).await
}

/// Sends the wakes of the work that has to begin before its time, and by `until`, unless another look was begun shortly
/// before.
///
/// # Errors
/// The first failure to read a shard, once the wakes of the others are sent.
pub(super) async fn look(clients: &Clients, clock: EventClock, token: &str, until: Timestamp) -> Result<(), Error> {
    if !is_only_look(clients, clock, token).await? {
        return Ok(());
    }
    let mut shards = JoinSet::new();
    for shard in clients.executions.shards().all() {
        let clients = clients.clone();
        shards.spawn(async move {
            let now = clock.event_time();
            let end = until.as_seconds() + MAX_EARLY_SECONDS;
            let entries = Shard::Executions(shard).entries(&clients, now.as_seconds() + 1..=end, None).await?;
            Ok(wakes(shard, entries, now, until))
        });
    }
    let (mut found, mut failed) = (Vec::new(), Ok(()));
    while let Some(looked) = shards.join_next().await {
        match looked {
            Ok(Ok(early)) => found.extend(early),
            Ok(Err(error)) => failed = Err(error),
            Err(error) => tracing::error!(%error, "the task of a shard panicked"),
        }
    }
    send_in_order(clients, clock, found).await;
    failed
}

/// Sends the earliest first, in case the time of the invocation is over before all are sent.
pub(super) async fn send_in_order(clients: &Clients, clock: EventClock, mut wakes: Vec<Wake>) {
    wakes.sort_by_key(Wake::at);
    if !wakes.is_empty() {
        clients.wakes.send(&wakes, clock).await;
    }
}

/// The wakes of the work on these entries of a shard that has to begin before its time.
pub(super) fn wakes(shard: u8, entries: Vec<Entry>, now: Timestamp, until: Timestamp) -> Vec<Wake> {
    let starts = early_starts(entries, now, until).into_iter();
    let wake = |start: EarlyStart| {
        let at = start.arrives_at(now);
        let (first, last) = start.entries.into_inner();
        Wake::Early { shard, first, last, at }
    };
    starts.map(wake).collect()
}
