//! The progress events of commands for one thing: one for each record that tells something new of an execution.

use std::{collections::BTreeMap, sync::Arc};

use aws::{Error, ExecutionChange};
use domain::{CommandId, Execution, Timestamp};
use tokio::{sync::Semaphore, task::JoinSet};

use runtime::clients::Clients;
use runtime::command_progress;
use runtime::event_clock::EventClock;
use runtime::handler_error::chain;
use runtime::metrics;
use runtime::stream_event::ItemImages;

/// The most events that are published at the same time.
const MAX_CONCURRENT: usize = 32;

/// No event is published when the invocation has run for more than this many seconds: the counts of the next records
/// wait for its end.
const PUBLISH_CUTOFF_SECONDS: u32 = 10;

/// The events that follow from the records of an invocation, in the order of each command.
#[derive(Debug, Default)]
pub struct SingleCommandEvents {
    of_command: BTreeMap<CommandId, Vec<(u64, Execution)>>,
    unreadable: u64,
}

impl SingleCommandEvents {
    /// Adds the event of a record; nothing if the record has none.
    pub fn add(&mut self, images: &ItemImages) {
        match numbered(images) {
            Ok(Some((number, row))) => self.of_command.entry(row.command.clone()).or_default().push((number, row)),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = chain(&error), "a record can't be read and has no progress event");
                self.unreadable += 1;
            }
        }
    }

    /// Publishes the events, those of one command one after another. Best effort: a record is not retried for its
    /// event, since all later records of its shard would wait to be counted.
    pub async fn publish(self, clients: &Clients, clock: EventClock, start: Timestamp) {
        let unreadable = self.unreadable;
        let unpublished = unreadable + self.publish_in_time(clients, clock, start).await;
        if unpublished > 0 {
            metrics::count(start, &[("EventsUnpublished", unpublished)], &[]);
        }
    }

    /// Publishes the events for which there is time. Returns how many there was none for.
    async fn publish_in_time(self, clients: &Clients, clock: EventClock, start: Timestamp) -> u64 {
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
        let mut tasks = JoinSet::new();
        for events in self.of_command.into_values() {
            // The semaphore is never closed, so there always is a permit.
            let permit = permits.clone().acquire_owned().await.ok();
            let clients = clients.clone();
            tasks.spawn(async move {
                let _permit = permit;
                let mut too_late = 0;
                for (number, execution) in &events {
                    if clock.elapsed_seconds() > PUBLISH_CUTOFF_SECONDS {
                        too_late += 1;
                    } else {
                        command_progress::publish_execution(&clients, execution, *number, start).await;
                    }
                }
                too_late
            });
        }
        let mut all_too_late = 0;
        while let Some(result) = tasks.join_next().await {
            match result {
                Ok(too_late) => all_too_late += too_late,
                Err(error) => tracing::error!(%error, "the task of a command's progress events panicked"),
            }
        }
        all_too_late
    }
}

/// The row of an execution that the record has changed, and the number of its event; none if it has no event.
fn numbered(images: &ItemImages) -> Result<Option<(u64, Execution)>, Error> {
    let change = ExecutionChange::of(images.old_image.as_ref(), images.new_image.as_ref())?;
    Ok(change.and_then(|ExecutionChange { before, after }| Some((after.event_number(before.as_ref())?, after))))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws::Connection;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::{orchestrator::HttpRequest, runtime_components::RuntimeComponents};
    use aws_smithy_runtime_api::shared::IntoShared;
    use domain::DueShards;
    use runtime::clients::Settings;
    use runtime::stream_event::StreamEvent;

    use super::*;
    use crate::fixtures::fixtures;

    /// Counts the requests, and never answers.
    #[derive(Clone, Debug, Default)]
    struct Unanswered(Arc<AtomicUsize>);

    impl HttpClient for Unanswered {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            self.clone().into_shared()
        }
    }

    impl HttpConnector for Unanswered {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, Ordering::Relaxed);
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn publishing_ends_in_time_where_no_call_is_answered() {
        let events = fixtures("tally-command").into_iter().find(|(name, _)| name == "good_one_thing");
        let events = StreamEvent::decode(&events.expect("the event").1).expect("a good event");
        let mut told = SingleCommandEvents::default();
        // Four events of one command. A call is given up after six seconds.
        events.records.iter().chain(&events.records).for_each(|record| told.add(&record.dynamodb));
        let unanswered = Unanswered::default();
        let settings = Settings {
            commands: "commands".to_owned(),
            executions: "executions".to_owned(),
            due_shards: DueShards::new(1).expect("shards"),
            ticks: "http://127.0.0.1/ticks".to_owned(),
        };
        let clients = Clients::new(&Connection::over(unanswered.clone()), settings);
        let start = Timestamp::from_seconds(1_700_000_000);
        let clock = EventClock::start(start);
        let too_late = told.publish_in_time(&clients, clock, start).await;
        assert_eq!((unanswered.0.load(Ordering::Relaxed), too_late, clock.elapsed_seconds()), (2, 2, 12));
    }

    #[test]
    fn records_that_tell_something_new_of_a_command_for_one_thing_have_an_event() {
        for (name, event) in fixtures("tally-command").into_iter().filter(|(name, _)| name.starts_with("good_")) {
            let mut events = SingleCommandEvents::default();
            let event = StreamEvent::decode(&event).expect("a good event");
            event.records.iter().for_each(|record| events.add(&record.dynamodb));
            let numbers: Vec<u64> = events.of_command.values().flatten().map(|(number, _)| *number).collect();
            let (expected, unreadable): (&[u64], u64) = match name.as_str() {
                "good_one_thing" => (&[1_048_576, 68_719_411_200], 0),
                "good_one_thing_that_can_not_be_read" => (&[1_048_576], 1),
                _ => (&[], 0),
            };
            assert_eq!((numbers.as_slice(), events.unreadable), (expected, unreadable), "{name}");
        }
    }
}
