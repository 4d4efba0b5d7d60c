//! Lanes: who goes out now, who waits, and who is next when one has ended.

use aws::{Entered, Error};
use domain::{Command, Execution, ExecutionId, Key, NotCanceled, OnFailure, Reason, Status, shadow::overlaps};

use crate::turn::{Turn, Wrote};

/// Where an execution is in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It goes out now.
    First,
    /// Others go first.
    Behind,
    /// There is no room for it.
    Full,
}

/// Whoever is called off may be faster, a few times.
const TRIES: usize = 4;

impl Turn<'_> {
    /// Joins its lane, calling off those whose place it takes.
    pub async fn enter_lane(&self, row: &Execution, command: &Command) -> Result<Place, Error> {
        let Some(lane) = &row.lane else { return Ok(Place::First) };
        let Key { thing, id } = &row.key;
        let queue = match self.cloud.lanes.enter(thing, &lane.name, id, row.purge_at).await? {
            Entered::In(queue) => queue,
            Entered::Full => return Ok(Place::Full),
        };
        let wished = lane.name.is_of_state();
        if command.definition.supersede || wished {
            for older in queue.before(id) {
                self.supersede(&self.key(row, older), wished.then_some(command)).await?;
            }
        }
        let first = match command.definition.supersede {
            // Those whose place it has taken have left.
            true => self.cloud.lanes.read(thing, &lane.name).await?.head() == Some(id),
            false => queue.head() == Some(id),
        };
        Ok(if first || wished { Place::First } else { Place::Behind })
    }

    fn key(&self, row: &Execution, id: &ExecutionId) -> Key {
        Key { thing: row.key.thing.clone(), id: id.clone() }
    }

    /// Calls off an older one that has not been delivered; of wishes, one for an attribute that this one wishes too. What it
    /// leaves behind is done before the newer one goes out.
    async fn supersede(&self, older: &Key, wish: Option<&Command>) -> Result<(), Error> {
        let Some(row) = self.read(older).await? else { return Ok(()) };
        let replaced = match wish {
            Some(newer) => self.meets(&row, newer).await?,
            None => matches!(row.delivery_status, domain::DeliveryStatus::Pending | domain::DeliveryStatus::Queued),
        };
        if replaced && let Some(ended) = self.call_off(row, Reason::Superseded).await? {
            self.conclude_alone(ended).await?;
        }
        Ok(())
    }

    async fn meets(&self, older: &Execution, newer: &Command) -> Result<bool, Error> {
        let Some(older) = self.cloud.commands.get(&older.command).await? else { return Ok(false) };
        Ok(match (&older.definition.payload, &newer.definition.payload) {
            (Some(older), Some(newer)) => overlaps(older, newer),
            _ => false,
        })
    }

    /// Calls one off that has not begun: the row then, if it has ended one way or another.
    async fn call_off(&self, mut row: Execution, reason: Reason) -> Result<Option<Execution>, Error> {
        for _ in 0..TRIES {
            let change = match row.cancel(reason, self.now, false, self.by.clone()) {
                Ok(change) => change,
                Err(NotCanceled::Running) => return Ok(None),
                Err(NotCanceled::Already | NotCanceled::Ended(_)) => return Ok(Some(row)),
            };
            row = match self.write(row, &change).await? {
                Wrote::New(row) => return Ok(Some(row)),
                Wrote::Old(row) => row,
                Wrote::Gone => return Ok(None),
            };
        }
        Err(Error::busy("calling off an execution", &row.key))
    }

    /// What is left to do after one has ended, on the way to something else: without those whom it sets free.
    async fn conclude_alone(&self, row: Execution) -> Result<(), Error> {
        if row.withdraw {
            self.withdraw(&row).await?;
        }
        if let Some(lane) = row.lane.as_ref().filter(|_| row.in_lane) {
            self.cloud.lanes.leave(&row.key.thing, &lane.name, &row.key.id).await?;
        }
        if let domain::Owed::Conclude { then, .. } = row.owed(self.now) {
            self.write(row, &then).await?;
        }
        Ok(())
    }

    /// Leaves its lane: those behind it are called off where it did not succeed and its lane stops then; and whoever is first
    /// then goes out. Those who have ended meanwhile, and have yet to leave, are returned.
    pub async fn leave_lane(&self, row: &Execution) -> Result<Vec<Execution>, Error> {
        let Some(lane) = &row.lane else { return Ok(Vec::new()) };
        let Key { thing, id } = &row.key;
        let mut ended = Vec::new();
        if stops(row) {
            let queue = self.cloud.lanes.read(thing, &lane.name).await?;
            for behind in queue.behind(id) {
                if let Some(waiting) = self.read(&self.key(row, behind)).await? {
                    ended.extend(self.call_off(waiting, Reason::LaneStopped).await?);
                }
            }
        }
        let mut queue = self.cloud.lanes.leave(thing, &lane.name, id).await?;
        if lane.name.is_of_state() {
            return Ok(ended);
        }
        while let Some(head) = queue.head() {
            match self.read(&self.key(row, head)).await? {
                // Nobody knows it any more.
                None => queue = self.cloud.lanes.leave(thing, &lane.name, &head.clone()).await?,
                Some(next) if next.is_terminal() => {
                    ended.push(next);
                    break;
                }
                Some(next) if next.waits_in_lane() => {
                    self.claim_and_send_next(next).await?;
                    break;
                }
                Some(_) => break,
            }
        }
        Ok(ended)
    }

    /// Boxed, since sending may lead to leaving a lane, and that to sending.
    async fn claim_and_send_next(&self, row: Execution) -> Result<(), Error> {
        Box::pin(self.claim_and_send(row)).await.map(|_| ())
    }
}

/// Whether those behind it are called off when it has ended.
fn stops(row: &Execution) -> bool {
    let stopping = row.lane.as_ref().is_some_and(|lane| lane.on_failure == OnFailure::Stop);
    let replaced = row.verdict.is_some_and(|verdict| verdict.reason == Reason::Superseded);
    stopping && row.status != Status::Succeeded && !replaced
}
