//! Decodes an event and hands it on by its kind. The batches of a stream event are processed concurrently.

use std::{collections::BTreeSet, sync::Arc};

use aws::ChangedItem;
use domain::{RequestTopics, Timestamp};
use tokio::task::JoinSet;

use super::presence::{self, PresenceShadow};
use super::{device_online, dispatcher::Dispatcher, event::Event, summary::Summary, throttle::Throttle};
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::{HandlerError, chain};
use runtime::stream_event::{BatchResponse, StreamEvent};

/// Handles one event. `topics`: those for requests besides each thing's own. `start`: when the invocation started. `request_id` is the same when Lambda retries the event.
///
/// # Errors
/// The event is of an unknown kind, executions that wait for a device could not be sent, or a shadow not be written. A
/// batch that cannot be processed is a failed record of the response.
pub async fn handle(
    clients: &Clients,
    throttle: &Throttle,
    presence_shadow: &PresenceShadow,
    topics: &RequestTopics,
    event: &str,
    start: Timestamp,
    request_id: &str,
) -> Result<BatchResponse, HandlerError> {
    match Event::decode(event)? {
        Event::Stream(event) => Ok(process_batches(clients, throttle, &event, start, request_id).await),
        Event::Lifecycle(event) => {
            device_online::handle(clients, topics, &event, start, request_id).await.map(|()| BatchResponse::default())
        }
        Event::Presence(event) => {
            let written = Box::pin(presence::handle(clients, presence_shadow, &event, start)).await;
            written.map(|()| BatchResponse::default())
        }
    }
}

async fn process_batches(
    clients: &Clients,
    throttle: &Throttle,
    event: &StreamEvent,
    start: Timestamp,
    request_id: &str,
) -> BatchResponse {
    let dispatcher = Arc::new(Dispatcher {
        clients: clients.clone(),
        clock: EventClock::start(start),
        token: request_id.to_owned(),
        throttle: throttle.clone(),
    });
    let mut tasks = JoinSet::new();
    let mut known = BTreeSet::new();
    for record in &event.records {
        let Some(ChangedItem::Batch(id, number)) = ChangedItem::of(&record.dynamodb.keys) else { continue };
        if !known.insert((id.clone(), number)) {
            continue;
        }
        let (dispatcher, sequence_number) = (dispatcher.clone(), record.dynamodb.sequence_number.clone());
        tasks.spawn(async move {
            let result = dispatcher.process(&id, number).await;
            result.map_err(|error| {
                tracing::warn!(
                    error = chain(&error),
                    command = %id,
                    number,
                    "a batch could not be processed: its record is retried"
                );
                sequence_number
            })
        });
    }
    let (mut summary, mut failed) = (Summary::default(), Vec::new());
    while let Some(result) = tasks.join_next().await {
        match result {
            Ok(Ok(batch)) => summary += batch,
            Ok(Err(sequence_number)) => failed.push(sequence_number),
            // The claim of the batch ends, and the reconciler wakes it.
            Err(error) => tracing::error!(%error, "the task of a batch panicked"),
        }
    }
    summary.report(start);
    BatchResponse::failed(failed.iter().map(String::as_str))
}
