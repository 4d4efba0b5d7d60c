//! Folds stream records into the counts of their commands, each record exactly once; publishes those of commands for one
//! thing.
//!
//! The counts of a shard remember the last folded record, and are written on condition that they are unchanged since
//! they were read.

use std::collections::BTreeMap;

use aws::{Error, Shard, count_change};
use domain::{CommandId, CountChange, Timestamp};

use super::reactions;
use super::single_commands::SingleCommandEvents;
use runtime::clients::Clients;
use runtime::conflict::ConflictRetries;
use runtime::event_clock::EventClock;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;
use runtime::stream_event::{BatchResponse, StreamEvent, WindowResponse};

/// The changes of one command's counts in an event.
#[derive(Default)]
struct CommandChanges<'a> {
    /// Sequence number of the first record with a change.
    first: &'a str,
    changes: Vec<CountChange>,
}

/// Handles one event. `start`: when the invocation started.
///
/// # Errors
/// The event is not one of a DynamoDB stream with its shard. Counts that cannot be written are failed records of the
/// response.
pub async fn handle(clients: &Clients, event: &str, start: Timestamp) -> Result<WindowResponse, HandlerError> {
    let clock = EventClock::start(start);
    let event = StreamEvent::decode(event)?;
    let (Some(stream), Some(shard)) = (&event.stream, &event.shard) else { return Err(HandlerError::NoShard) };
    let shard = Shard { stream, shard };
    let mut single_commands = SingleCommandEvents::default();
    let mut commands: BTreeMap<CommandId, CommandChanges<'_>> = BTreeMap::new();
    let mut uncounted = 0;
    for record in &event.records {
        let images = &record.dynamodb;
        single_commands.add(images);
        match count_change(&images.sequence_number, images.old_image.as_ref(), images.new_image.as_ref()) {
            Ok(Some((command, change))) if change.changes_counts() => {
                let of_command = commands.entry(command).or_default();
                if of_command.changes.is_empty() {
                    of_command.first = &images.sequence_number;
                }
                of_command.changes.push(change);
            }
            Ok(Some(_) | None) => {}
            // A retry would fail again, and would block all later records of the shard.
            Err(error) => {
                tracing::error!(error = chain(&error), "a record can't be read and is not counted");
                uncounted += 1;
            }
        }
    }
    if uncounted > 0 {
        metrics::count(start, &[("ChangesUncounted", uncounted)], &[]);
    }
    let mut failed = Vec::new();
    for (id, CommandChanges { first, changes }) in commands {
        let result = match fold(clients, shard, &id, &changes, start).await {
            Ok(()) => reactions::react(clients, &id, start).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(error = chain(&error), command = %id, "counts could not be written: their records are retried");
            failed.push(first);
        }
    }
    single_commands.publish(clients, clock, start).await;
    Ok(WindowResponse::new(BatchResponse::failed(failed)))
}

async fn fold(
    clients: &Clients,
    shard: Shard<'_>,
    id: &CommandId,
    changes: &[CountChange],
    now: Timestamp,
) -> Result<(), Error> {
    // The counts of a deleted command are never read.
    let Some(command) = clients.commands.get(id).await? else { return Ok(()) };
    let mut retries = ConflictRetries::new("folding counts", id);
    loop {
        let before = clients.counts.get(id, shard).await?;
        let Some(after) = before.fold(changes.iter().cloned()) else { return Ok(()) };
        if clients.counts.put(id, shard, &after, &before, command.purge_at(), now).await? {
            return Ok(());
        }
        retries.wait().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    /// How many records of an event are counted; none if the event is refused.
    fn counted(event: &str) -> Option<usize> {
        let event = StreamEvent::decode(event).ok()?;
        event.shard.as_ref().and(event.stream.as_ref())?;
        let changes = event.records.iter().map(|record| {
            let images = &record.dynamodb;
            count_change(&images.sequence_number, images.old_image.as_ref(), images.new_image.as_ref())
        });
        Some(changes.filter_map(|change| change.ok().flatten()).count())
    }

    #[test]
    fn records_of_good_events_are_counted_and_bad_events_are_refused() {
        for (name, event) in fixtures("tally-command") {
            let expected = match name.as_str() {
                "good_executions" => Some(2),
                "good_removed" | "good_thing_in_two_batches" | "good_row_that_can_not_be_read" => Some(1),
                "good_end_of_a_window" | "good_items_that_do_not_count" => Some(0),
                "good_one_thing" | "good_one_thing_that_can_not_be_read" => Some(0),
                _ => None,
            };
            assert_eq!(counted(&event), expected, "{name}");
            assert_eq!(expected.is_some(), name.starts_with("good_"), "{name}");
        }
    }
}
