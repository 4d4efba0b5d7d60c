//! The look-ahead of a tick of the schedule: it sends the wakes of what is due in the minute after its own, and finds the
//! shards in which anything is due already. In most minutes that is none, as wakes have done the work.
//!
//! One message for each second and shard in which something is due, however much that is; and where that is more than can
//! be done at its time, messages that begin the work earlier ([`domain::wake::early`]).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use aws::{Due, DueCursor, DuePage, Error};
use domain::wake::{
    early::{Entry, MAX_EARLY_SECONDS, early_starts, place_of},
    horizon::look_ahead,
};
use domain::{FLEET_SHARDS, Key, Timestamp, Wake};
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::chain;
use tokio::task::JoinSet;

/// The most entries of a shard that one query reads: keys only, so a page is a fraction of DynamoDB's megabyte.
const PAGE_SIZE: u16 = 1000;

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

/// A shard of one of the due indexes.
#[derive(Clone, Copy, Debug)]
enum Shard {
    Executions(u8),
    Fleets(u8),
}

/// Sends the wakes of the minute after that of the tick. Returns the shards in which anything is due now, or that could
/// not be read.
pub(super) async fn send_wakes(clients: &Clients, clock: EventClock, scheduled: Timestamp) -> DueShardNumbers {
    let DueShardNumbers { executions, fleets } = DueShardNumbers::all(clients);
    let executions = executions.into_iter().map(Shard::Executions);
    let mut shards = JoinSet::new();
    for shard in executions.chain(fleets.into_iter().map(Shard::Fleets)) {
        let clients = clients.clone();
        shards.spawn(async move { (shard, shard.look_ahead(&clients, scheduled).await) });
    }
    let (mut wakes, mut due) = (Vec::new(), DueShardNumbers::default());
    while let Some(looked) = shards.join_next().await {
        let is_due = match looked {
            Ok((shard, Ok(found))) => {
                wakes.extend(found.wakes);
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
    // The earliest first, in case the time of the invocation is over before all are sent.
    wakes.sort_by_key(Wake::at);
    if !wakes.is_empty() {
        clients.wakes.send(&wakes, clock).await;
    }
    due
}

/// What a look at one shard has found.
struct Found {
    /// The wakes of the next minute.
    wakes: Vec<Wake>,
    /// Whether anything is due now.
    is_due: bool,
}

impl Shard {
    /// Reads the shard: with one query, unless there is more than a page of entries.
    async fn look_ahead(self, clients: &Clients, scheduled: Timestamp) -> Result<Found, Error> {
        let (now, ahead) = (scheduled.as_seconds(), look_ahead(scheduled));
        let end = match self {
            Self::Executions(_) => *ahead.end() + MAX_EARLY_SECONDS,
            Self::Fleets(_) => *ahead.end(),
        };
        let (mut entries, mut next) = self.page(clients, 0..=end, None).await?;
        let is_due = entries.first().is_some_and(|first| first.due <= now);
        entries.retain(|entry| entry.due > now);
        // What is due now can be more than a page: then the rest is read from its beginning.
        let mut after = if entries.is_empty() { None } else { next.clone() };
        while next.is_some() {
            let (more, cursor) = self.page(clients, now + 1..=end, after).await?;
            entries.extend(more);
            (after, next) = (cursor.clone(), cursor);
        }
        let seconds: BTreeSet<i64> = entries.iter().map(|entry| entry.due).filter(|due| ahead.contains(due)).collect();
        let mut wakes: Vec<Wake> = seconds.into_iter().map(|at| self.wake(at)).collect();
        if let Self::Executions(shard) = self {
            let early = early_starts(entries, scheduled, Timestamp::from_seconds(*ahead.end()));
            wakes.extend(early.into_iter().map(|start| Wake::Early {
                shard,
                first: *start.entries.start(),
                last: *start.entries.end(),
                at: start.at,
            }));
        }
        Ok(Found { wakes, is_due })
    }

    /// A page of entries, and where the next page begins.
    async fn page(
        self,
        clients: &Clients,
        range: RangeInclusive<i64>,
        after: Option<DueCursor>,
    ) -> Result<(Vec<Entry>, Option<DueCursor>), Error> {
        Ok(match self {
            Self::Executions(shard) => {
                let place = |key: &Key| place_of(&key.id);
                entries(clients.executions.due(shard, &range, after, PAGE_SIZE).await?, place)
            }
            Self::Fleets(shard) => entries(clients.fleets.due(shard, &range, after, PAGE_SIZE).await?, |_| 0),
        })
    }

    fn wake(self, at: i64) -> Wake {
        match self {
            Self::Executions(shard) => Wake::Second { shard, at },
            Self::Fleets(shard) => Wake::Fleet { shard, at },
        }
    }
}

/// The entries of a page. One whose key can't be read has a place too: it takes its time.
fn entries<T>(page: DuePage<T>, place: impl Fn(&T) -> u16) -> (Vec<Entry>, Option<DueCursor>) {
    let entry = |due: &Due<T>| Entry { due: due.at, place: due.item.as_ref().map_or(0, &place) };
    (page.entries.iter().map(entry).collect(), page.next)
}
