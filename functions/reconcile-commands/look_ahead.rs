//! The look-ahead of a tick of the schedule: it sends the wakes of what is due in the minute after its own, and finds the
//! shards in which anything is due already. In most minutes that is none, as wakes have done the work.
//!
//! One message for each second and shard in which something is due, however much that is; and where that is more than can
//! be done at its time, messages that begin the work earlier ([`domain::wake::early`]). Then two further looks follow
//! within the minute, for what is sent meanwhile: they send such messages only.

use std::collections::BTreeSet;

use aws::Error;
use domain::wake::{
    early::MAX_EARLY_SECONDS,
    horizon::look_ahead,
    looks::{further_looks, looked_until},
};
use domain::{FLEET_SHARDS, Timestamp, Wake};
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::chain;
use tokio::task::JoinSet;

use super::due_shard::Shard;
use super::early;

/// The shards in which anything may be due.
#[derive(Debug, Default)]
pub(super) struct DueShardNumbers {
    /// Shards of the due index of executions.
    pub executions: Vec<u8>,
    /// Shards of the due index of commands.
    pub fleets: Vec<u8>,
}

impl DueShardNumbers {
    /// All shards.
    pub fn all(clients: &Clients) -> Self {
        Self { executions: clients.executions.shards().all().collect(), fleets: (0..FLEET_SHARDS).collect() }
    }
}

/// Sends the wakes of the minute after that of the tick. Returns the shards in which anything is due now, or that could
/// not be read.
pub(super) async fn send_wakes(
    clients: &Clients,
    clock: EventClock,
    scheduled: Timestamp,
    token: &str,
) -> DueShardNumbers {
    let DueShardNumbers { executions, fleets } = DueShardNumbers::all(clients);
    let executions = executions.into_iter().map(Shard::Executions);
    let mut shards = JoinSet::new();
    for shard in executions.chain(fleets.into_iter().map(Shard::Fleets)) {
        let clients = clients.clone();
        shards.spawn(async move { (shard, look(shard, &clients, scheduled).await) });
    }
    let (mut wakes, mut early, mut due) = (Vec::new(), Vec::new(), DueShardNumbers::default());
    while let Some(looked) = shards.join_next().await {
        let is_due = match looked {
            Ok((shard, Ok(found))) => {
                wakes.extend(found.wakes);
                early.extend(found.early);
                found.is_due.then_some(shard)
            }
            Ok((shard, Err(error))) => {
                tracing::warn!(error = chain(&error), ?shard, "what is due soon could not be read");
                Some(shard)
            }
            Err(error) => {
                tracing::error!(%error, "the task of a shard panicked");
                None
            }
        };
        match is_due {
            Some(Shard::Executions(shard)) => due.executions.push(shard),
            Some(Shard::Fleets(shard)) => due.fleets.push(shard),
            None => {}
        }
    }
    if !early.is_empty() {
        wakes.extend(further_looks(scheduled, Timestamp::from_seconds(*look_ahead(scheduled).end()), None));
    }
    early.retain(|wake| wake.at() <= looked_until(scheduled));
    if !early.is_empty() && early::is_only_look(clients, clock, token).await.unwrap_or_else(is_left_to_next) {
        wakes.append(&mut early);
    }
    early::send_in_order(clients, clock, wakes).await;
    due
}

/// Where it is not known whether another function looks for what has to begin early, the next look does it.
fn is_left_to_next(error: Error) -> bool {
    tracing::warn!(error = chain(&error), "what has to begin early is left to the next look");
    false
}

/// What a look at one shard has found.
struct Found {
    /// The wakes of the next minute.
    wakes: Vec<Wake>,
    /// The wakes of what has to begin before its time.
    early: Vec<Wake>,
    /// Whether anything is due now.
    is_due: bool,
}

/// Reads a shard: with one query, unless there is more than a page of entries.
async fn look(shard: Shard, clients: &Clients, scheduled: Timestamp) -> Result<Found, Error> {
    let (now, ahead) = (scheduled.as_seconds(), look_ahead(scheduled));
    let end = match shard {
        Shard::Executions(_) => *ahead.end() + MAX_EARLY_SECONDS,
        Shard::Fleets(_) => *ahead.end(),
    };
    let (mut entries, next) = shard.page(clients, 0..=end, None).await?;
    let is_due = entries.first().is_some_and(|first| first.due <= now);
    entries.retain(|entry| entry.due > now);
    // What is due now can be more than a page: then the rest is read from its beginning.
    if next.is_some() {
        let after = if entries.is_empty() { None } else { next };
        entries.extend(shard.entries(clients, now + 1..=end, after).await?);
    }
    let seconds: BTreeSet<i64> = entries.iter().map(|entry| entry.due).filter(|due| ahead.contains(due)).collect();
    let wakes = seconds.into_iter().map(|at| shard.wake(at)).collect();
    let early = match shard {
        Shard::Executions(shard) => {
            let looked = scheduled..=Timestamp::from_seconds(*ahead.end());
            early::wakes(shard, entries, &[], looked, false)
        }
        Shard::Fleets(_) => Vec::new(),
    };
    Ok(Found { wakes, early, is_due })
}
