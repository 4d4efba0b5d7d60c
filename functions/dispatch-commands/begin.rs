//! One thing of a batch: its execution is stored, and its request goes out.

use aws::{Error, Put};
use domain::{BatchNumber, Command, Execution, ThingName, Via};

use crate::{lane::Place, turn::Turn};

/// What became of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It has an execution, whose request went out as far as it could: what is left is owed to that execution.
    Stored {
        /// Whether the cloud said that it was too much at once.
        throttled: bool,
    },
    /// Another batch has it too.
    Duplicate,
}

/// Stores the execution of a thing, and sends its request.
pub async fn begin(
    turn: &Turn<'_>,
    command: &Command,
    batch: BatchNumber,
    thing: &ThingName,
    via: Via,
) -> Result<Begun, Error> {
    let row = Execution::create_in_batch(command, thing, batch, turn.time(), via, turn.cloud.tick);
    let row = match turn.cloud.executions.put_new(&row).await? {
        Put::Stored => first(turn, command, row).await?,
        Put::Exists(row) if row.batch != Some(batch) => {
            turn.cloud.executions.put_duplicate(&row, batch).await?;
            return Ok(Begun::Duplicate);
        }
        Put::Exists(row) => again(turn, command, *row).await?,
    };
    Ok(Begun::Stored { throttled: row.is_put_off(turn.time()) })
}

async fn first(turn: &Turn<'_>, command: &Command, row: Execution) -> Result<Execution, Error> {
    if row.via == Via::Broadcast {
        return Ok(row);
    }
    if !row.in_lane {
        return Ok(turn.send_first(row, command).await?.row);
    }
    match turn.enter_lane(&row, command).await? {
        Place::Behind => Ok(row),
        Place::First => take(turn, command, row).await,
        // Nobody who leaves the lane would find it there: it tries again.
        Place::Full => {
            let later = row.unsent(turn.time(), turn.by.clone(), true);
            turn.write(row.clone(), &later).await?;
            Ok(row)
        }
    }
}

/// Whoever stored it did not live to say how its sending went: it goes out, unless its device has been heard of.
async fn again(turn: &Turn<'_>, command: &Command, row: Execution) -> Result<Execution, Error> {
    if row.via == Via::Broadcast || row.observe(turn.time()).is_terminal() {
        return Ok(row);
    }
    if row.waits_in_lane() {
        let known = row.clone();
        return Ok(turn.take_turn(row).await?.map_or(known, |sent| sent.row));
    }
    take(turn, command, row).await
}

async fn take(turn: &Turn<'_>, command: &Command, row: Execution) -> Result<Execution, Error> {
    let known = row.clone();
    match turn.claim(row).await? {
        Some(row) => Ok(turn.send(row, command).await?.row),
        None => Ok(known),
    }
}
