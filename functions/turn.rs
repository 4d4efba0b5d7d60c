//! One function at work on executions. Whatever row it has in hand, it does what is owed to it, as far as it can; what it
//! does not live to do stays due, and is done by the next.

use aws::{Advanced, Error};
use domain::{By, Change, Execution, Key, Owed, Timestamp};
use serde::Serialize;

use crate::{cloud::Cloud, stopwatch::Stopwatch};

/// Who is at work, when, and with what.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// With what.
    pub cloud: &'a Cloud,
    /// When, by the event.
    pub now: Timestamp,
    /// Who.
    pub by: By,
    /// The event's own id, the same when it is handled again: a claim says by which event it was made.
    pub token: &'a str,
    /// Since when.
    pub since: Stopwatch,
}

/// What a turn has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Given up.
    pub settled: u64,
    /// Asked again, after an attempt that came to nothing.
    pub retried: u64,
    /// Sent.
    pub sent: u64,
    /// Done with what was left after their end.
    pub concluded: u64,
    /// Looked at again later, or not any more.
    pub moved: u64,
    /// Someone else was faster.
    pub lost: u64,
}

/// A row that a change was meant for.
#[derive(Debug)]
pub enum Wrote {
    /// It is written: this is the row now.
    New(Execution),
    /// It is old news: this is the row that stood in its way.
    Old(Execution),
    /// There is no such row.
    Gone,
}

/// More than any row can owe at one time: each step of its life, and then some.
const STEPS: usize = 16;

impl Turn<'_> {
    /// What time it is by the event, as long as it has been handled: requests go out one after the other, and each may take seconds.
    pub fn time(&self) -> Timestamp {
        self.now.plus_seconds(self.since.seconds())
    }

    /// Writes a change of a row that is in hand.
    pub async fn write(&self, row: Execution, change: &Change) -> Result<Wrote, Error> {
        Ok(match self.cloud.executions.write(change).await? {
            Advanced::Written(_) => match row.apply(change) {
                Some(next) => Wrote::New(next),
                // It was not the newest that was in hand.
                None => self.read(&change.key).await?.map_or(Wrote::Gone, Wrote::New),
            },
            Advanced::OldNews(row) => Wrote::Old(*row),
            Advanced::Unknown => Wrote::Gone,
        })
    }

    /// The row as it is now.
    pub async fn read(&self, key: &Key) -> Result<Option<Execution>, Error> {
        self.cloud.executions.get(key).await
    }

    /// Does what is owed to a row, and to those that this sets free.
    pub async fn drive(&self, row: Execution) -> Result<Done, Error> {
        let mut done = Done::default();
        let mut rows = vec![row];
        while let Some(row) = rows.pop() {
            rows.extend(self.drive_one(row, &mut done).await?);
        }
        Ok(done)
    }

    async fn drive_one(&self, mut row: Execution, done: &mut Done) -> Result<Vec<Execution>, Error> {
        let mut freed = Vec::new();
        for _ in 0..STEPS {
            let (counter, change) = match row.owed(self.now) {
                Owed::Nothing => break,
                Owed::Change(change) if change.is_terminal() && change.moves() => (&mut done.settled, change),
                Owed::Change(change) if change.moves() => (&mut done.retried, change),
                Owed::Change(change) => (&mut done.moved, change),
                Owed::Send => match self.claim_and_send(row).await? {
                    Some(sent) => {
                        done.sent += 1;
                        row = sent.row;
                        continue;
                    }
                    None => break,
                },
                Owed::Turn => match self.take_turn(row).await? {
                    Some(sent) => {
                        done.sent += 1;
                        row = sent.row;
                        continue;
                    }
                    None => break,
                },
                Owed::Conclude { withdraw, leave, then } => {
                    if withdraw {
                        self.withdraw(&row).await?;
                    }
                    if leave {
                        freed.extend(self.leave_lane(&row).await?);
                    }
                    (&mut done.concluded, then)
                }
            };
            row = match self.write(row, &change).await? {
                Wrote::New(next) => {
                    *counter += 1;
                    next
                }
                Wrote::Old(other) => {
                    done.lost += 1;
                    other
                }
                Wrote::Gone => break,
            };
        }
        Ok(freed)
    }
}

impl std::ops::AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.settled += other.settled;
        self.retried += other.retried;
        self.sent += other.sent;
        self.concluded += other.concluded;
        self.moved += other.moved;
        self.lost += other.lost;
    }
}
