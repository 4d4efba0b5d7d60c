//! Lanes: who goes out now, who waits, and who is next when one has ended.

use aws::{Entered, Error};
use domain::{Command, Execution, ExecutionId, Key, NotCanceled, OnFailure, Owed, Reason, Status, shadow::overlaps};

use crate::{
    send::Sent,
    turn::{Turn, Wrote},
};

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

    /// Sees whether its turn has come: then it goes out, else it waits for whoever leaves its lane.
    pub async fn take_turn(&self, row: Execution) -> Result<Option<Sent>, Error> {
        let Some(command) = self.cloud.commands.get(&row.command).await? else { return Ok(None) };
        let mut place = self.enter_lane(&row, &command).await?;
        if place == Place::Behind && self.drop_unknown_head(&row).await? {
            place = self.enter_lane(&row, &command).await?;
        }
        match place {
            Place::First => Box::pin(self.claim_and_send(row)).await,
            Place::Behind => {
                let waits = row.waits();
                self.write(row, &waits).await?;
                Ok(None)
            }
            // Nobody who leaves the lane would find it there.
            Place::Full => {
                let later = row.unsent(self.time(), self.by.clone(), true);
                self.write(row, &later).await?;
                Ok(None)
            }
        }
    }

    /// Takes the head out of its lane, if nobody knows it any more or it has left already: a request that was cut short can leave
    /// one there.
    async fn drop_unknown_head(&self, row: &Execution) -> Result<bool, Error> {
        let Some(lane) = &row.lane else { return Ok(false) };
        let queue = self.cloud.lanes.read(&row.key.thing, &lane.name).await?;
        let Some(head) = queue.head() else { return Ok(false) };
        if self.read(&self.key(row, head)).await?.is_some_and(|head| !has_left(&head)) {
            return Ok(false);
        }
        self.cloud.lanes.leave(&row.key.thing, &lane.name, head).await?;
        Ok(true)
    }

    fn key(&self, row: &Execution, id: &ExecutionId) -> Key {
        Key { thing: row.key.thing.clone(), id: id.clone() }
    }

    /// Calls off an older one that has not been delivered; of wishes, one for an attribute that this one wishes too. What it
    /// leaves behind is done before the newer one goes out.
    async fn supersede(&self, older: &Key, wish: Option<&Command>) -> Result<(), Error> {
        let Some(row) = self.read(older).await? else { return Ok(()) };
        // Those behind one that has failed are called off by whoever leaves the lane for it.
        if wish.is_none() && stops(&row) {
            return Ok(());
        }
        let replaced = match wish {
            Some(newer) => self.meets(&row, newer).await?,
            None => true,
        };
        if replaced
            && let Some(ended) = self.call_off(row, Reason::Superseded, wish.is_none()).await?
            && !stops(&ended)
        {
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

    /// Calls one off that has not begun, or has not gone out either: the row then, if it has ended one way or another.
    async fn call_off(&self, mut row: Execution, reason: Reason, unsent: bool) -> Result<Option<Execution>, Error> {
        for _ in 0..TRIES {
            if unsent && !row.is_terminal() && !row.is_undelivered() {
                return Ok(None);
            }
            let change = match row.cancel(reason, self.now, false, self.by.clone()) {
                Ok(change) => change,
                Err(NotCanceled::Running) => return Ok(None),
                Err(NotCanceled::Already | NotCanceled::Ended(_)) if row.is_terminal() => return Ok(Some(row)),
                // It has expired, and nobody has written so.
                Err(NotCanceled::Already | NotCanceled::Ended(_)) => match row.owed(self.now) {
                    Owed::Change(change) => *change,
                    _ => return Ok(None),
                },
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
        if let Owed::Conclude { then, .. } = row.owed(self.now) {
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
                    ended.extend(self.call_off(waiting, Reason::LaneStopped, false).await?);
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
                // It was taken into the lane after it had ended.
                Some(next) if has_left(&next) => {
                    queue = self.cloud.lanes.leave(thing, &lane.name, &head.clone()).await?
                }
                Some(next) if next.is_terminal() => {
                    ended.push(next);
                    break;
                }
                // One that has been tried goes out at its time.
                Some(next) if next.waits_in_lane() && !next.is_put_off(self.time()) => {
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
    // Those behind one that was called off because its lane stopped are called off by the one that stopped it.
    let passed = row.verdict.is_some_and(|verdict| matches!(verdict.reason, Reason::Superseded | Reason::LaneStopped));
    stopping && row.is_terminal() && row.status != Status::Succeeded && !passed
}

/// Whether it has ended, and owes its lane nothing more.
fn has_left(row: &Execution) -> bool {
    row.is_terminal() && !row.in_lane
}
