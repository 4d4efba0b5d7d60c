//! What a part of a shard says is folded into the counts of its commands, each record once: a shard's counts remember how far they have
//! come, and are written only onto those that they were folded from.

use std::collections::BTreeMap;

use aws::{Error, Shard};
use domain::{CommandId, Folded, Timestamp};

use super::consequences;
use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    stream::{Answer, Event, Windowed},
    telemetry,
};

/// Someone else may be faster, a few times.
const TRIES: usize = 4;

/// What of a command is in a part of a shard.
#[derive(Default)]
struct Part<'a> {
    first: &'a str,
    records: Vec<Folded>,
}

/// Handles one event. `now`: when its handling began.
pub async fn handle(cloud: &Cloud, event: &str, now: Timestamp) -> Result<Windowed, Failure> {
    let event = Event::decode(event)?;
    let (Some(stream), Some(shard)) = (&event.stream, &event.shard) else { return Err(Failure::NoShard) };
    let shard = Shard { stream, shard };
    let mut commands: BTreeMap<CommandId, Part<'_>> = BTreeMap::new();
    let mut uncounted = 0;
    for record in &event.records {
        let changes = &record.dynamodb;
        match aws::folded(&changes.sequence_number, changes.old_image.as_ref(), changes.new_image.as_ref()) {
            // A batch that is claimed, or told to go on, is worth neither a look nor a message.
            Ok(Some((command, folded))) if folded.moves() => {
                let part = commands.entry(command).or_default();
                if part.records.is_empty() {
                    part.first = &changes.sequence_number;
                }
                part.records.push(folded);
            }
            Ok(Some(_) | None) => {}
            // To wait for it would stop all others.
            Err(error) => {
                tracing::error!(error = chain(&error), "a change was not counted");
                uncounted += 1;
            }
        }
    }
    if uncounted > 0 {
        telemetry::count(now, &[("ChangesUncounted", uncounted)], &[]);
    }
    let mut failed = Vec::new();
    for (id, part) in commands {
        let done = match fold(cloud, shard, &id, part.records).await {
            Ok(()) => consequences::draw(cloud, &id, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(error = chain(&error), command = %id, "counts have to wait");
            failed.push(part.first);
        }
    }
    Ok(Windowed::new(Answer::failed(failed)))
}

async fn fold(cloud: &Cloud, shard: Shard<'_>, id: &CommandId, records: Vec<Folded>) -> Result<(), Error> {
    // Without it nobody asks for its counts.
    let Some(command) = cloud.commands.get(id).await? else { return Ok(()) };
    for _ in 0..TRIES {
        let onto = cloud.tallies.get(id, shard).await?;
        let Some(tally) = onto.fold(records.iter().cloned()) else { return Ok(()) };
        if cloud.tallies.put(id, shard, &tally, &onto, command.purge_at()).await? {
            return Ok(());
        }
    }
    Err(Error::busy("folding counts", id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    /// How many records of an event count; none if it is refused.
    fn counted(event: &str) -> Option<usize> {
        let event = Event::decode(event).ok()?;
        event.shard.as_ref().and(event.stream.as_ref())?;
        let folded = event.records.iter().map(|record| {
            let changes = &record.dynamodb;
            aws::folded(&changes.sequence_number, changes.old_image.as_ref(), changes.new_image.as_ref())
        });
        Some(folded.filter_map(|folded| folded.ok().flatten()).count())
    }

    #[test]
    fn every_good_event_is_counted_and_every_bad_one_is_refused() {
        for (name, event) in fixtures("tally-command") {
            let right = match name.as_str() {
                "good_executions" => Some(2),
                "good_removed" | "good_thing_in_two_batches" | "good_row_that_can_not_be_read" => Some(1),
                "good_end_of_a_window" | "good_items_that_do_not_count" => Some(0),
                _ => None,
            };
            assert_eq!(counted(&event), right, "{name}");
            assert_eq!(right.is_some(), name.starts_with("good_"), "{name}");
        }
    }
}
