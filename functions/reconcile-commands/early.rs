//! Looks for what has to begin before its time, and sends messages that bring it ([`domain::wake::early`]). One function
//! at a time does that: two that look at the same time would bring the same work at the same time, twice.

use std::ops::RangeInclusive;

use aws::{Error, Lease};
use domain::wake::early::{EarlyStart, Entry, MAX_EARLY_SECONDS, early_starts};
use domain::wake::looks::look_lease_until;
use domain::wake::unsent::Unsent;
use domain::{CommandId, Timestamp, Wake};
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::chain;
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

/// A look between two ticks.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    /// It brings the work that begins until then.
    pub(super) until: Timestamp,
    /// The command that led to the look, of which more requests may follow.
    pub(super) command: Option<&'a CommandId>,
    /// Whether no look came before it.
    pub(super) is_first: bool,
}

/// Sends the wakes of the work that has to begin before its time, unless another look was begun shortly before.
///
/// # Errors
/// The first failure to read a shard, once the wakes of the others are sent.
pub(super) async fn look(
    clients: &Clients,
    clock: EventClock,
    token: &str,
    Look { until, command, is_first }: Look<'_>,
) -> Result<(), Error> {
    if !is_only_look(clients, clock, token).await? {
        return Ok(());
    }
    let now = clock.event_time();
    let mut shards = JoinSet::new();
    for shard in clients.executions.shards().all() {
        let clients = clients.clone();
        shards.spawn(async move {
            let end = until.as_seconds() + MAX_EARLY_SECONDS;
            let entries = Shard::Executions(shard).entries(&clients, now.as_seconds() + 1..=end, None).await?;
            Ok((shard, entries))
        });
    }
    let (mut found, mut failed) = (Vec::new(), Ok(()));
    while let Some(looked) = shards.join_next().await {
        match looked {
            Ok(Ok(entries)) => found.push(entries),
            Ok(Err(error)) => failed = Err(error),
            Err(error) => tracing::error!(%error, "the task of a shard panicked"),
        }
    }
    let due = found.iter().flat_map(|(_, entries)| entries).map(|entry| entry.due);
    let unsent = match command {
        Some(command) => unsent(clients, command, due, now).await.unwrap_or_else(is_left_out),
        None => None,
    };
    let shard_number = clients.executions.shards().number();
    let expected = unsent.map(|unsent| unsent.due_in_shard(shard_number)).unwrap_or_default();
    let found = found.into_iter();
    let wakes = found.flat_map(|(shard, entries)| wakes(shard, entries, &expected, now..=until, is_first)).collect();
    send_in_order(clients, clock, wakes).await;
    failed
}

/// Sends the earliest first, in case the time of the invocation is over before all are sent.
pub(super) async fn send_in_order(clients: &Clients, clock: EventClock, mut wakes: Vec<Wake>) {
    wakes.sort_by_key(Wake::at);
    if !wakes.is_empty() {
        clients.wakes.send(&wakes, clock).await;
    }
}

/// What of a command is still to be sent. `due`: the entries of the due index.
async fn unsent(
    clients: &Clients,
    id: &CommandId,
    due: impl Iterator<Item = i64>,
    now: Timestamp,
) -> Result<Option<Unsent>, Error> {
    let (command, plan) = (clients.commands.get(id).await?, clients.fleets.plan(id).await?);
    let counts = clients.counts.sum(id).await?;
    Ok(command.zip(plan).and_then(|(command, plan)| Unsent::of(&command, &plan, &counts, due, now)))
}

fn is_left_out(error: Error) -> Option<Unsent> {
    tracing::warn!(error = chain(&error), "what is still to be sent is not known: a look does not count on it");
    None
}

/// The wakes of the work on these entries of a shard that has to begin before its time. `expected`: when entries will be
/// due that are not there yet. `looked`: from the time of the look until when it brings what begins.
pub(super) fn wakes(
    shard: u8,
    entries: Vec<Entry>,
    expected: &[i64],
    looked: RangeInclusive<Timestamp>,
    is_first: bool,
) -> Vec<Wake> {
    let (now, until) = looked.into_inner();
    let starts = early_starts(entries, expected, now, until).into_iter();
    let wake = |start: EarlyStart| {
        let at = start.arrives_at(now, is_first);
        let (first, last) = start.entries.into_inner();
        Wake::Early { shard, first, last, at }
    };
    starts.map(wake).collect()
}
