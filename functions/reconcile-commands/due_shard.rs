//! A shard of one of the due indexes, and its entries.

use std::ops::RangeInclusive;

use aws::{Due, DueCursor, DuePage, Error};
use domain::wake::early::{Entry, place_of};
use domain::{Key, Wake};
use runtime::clients::Clients;

/// The most entries of a shard that one query reads: keys only, so a page is a fraction of DynamoDB's megabyte.
const PAGE_SIZE: u16 = 1000;

/// A shard of one of the due indexes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shard {
    /// Of executions.
    Executions(u8),
    /// Of commands: plans and batches.
    Fleets(u8),
}

impl Shard {
    /// All entries of a range, from the page on that begins after a cursor.
    pub(super) async fn entries(
        self,
        clients: &Clients,
        range: RangeInclusive<i64>,
        mut after: Option<DueCursor>,
    ) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        loop {
            let (page, next) = self.page(clients, range.clone(), after).await?;
            entries.extend(page);
            if next.is_none() {
                return Ok(entries);
            }
            after = next;
        }
    }

    /// A page of entries, and where the next page begins.
    pub(super) async fn page(
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

    /// The wake of all entries of a second.
    pub(super) fn wake(self, at: i64) -> Wake {
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
