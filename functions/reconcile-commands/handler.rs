//! Handles a tick or messages of the queue: looks for due work in all shards at the same time, or where a wake says.
//!
//! A report that comes in between wins: a decision is written only to the row that was read.

use std::sync::Arc;

use domain::Timestamp;
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::{HandlerError, chain};
use runtime::stream_event::BatchResponse;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::due_executions::{DueExecutions, MAX_CONCURRENT};
use super::due_fleets::DueFleets;
use super::event::{Event, Message, MessageBody};
use super::look_ahead::{self, DueShardNumbers};
use super::{summary::Summary, ticks::Ticks};

/// The answer of the function.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// What a tick has done.
    Tick(Summary),
    /// The messages that failed.
    Messages(BatchResponse),
}

/// Handles one event. `start`: when the invocation began. `request_id` is the same when Lambda retries the event.
///
/// # Errors
/// [`HandlerError`] if the event is none of this function, the later ticks could not be queued, or a part of the work
/// of a tick failed. A message that fails is a part of the answer.
pub async fn handle(
    clients: &Clients,
    ticks: &Ticks,
    event: &str,
    start: Timestamp,
    request_id: &str,
) -> Result<Answer, HandlerError> {
    match Event::decode(event)? {
        Event::Schedule(first) => {
            let clock = EventClock::start(first);
            // Before the work, which may take most of a minute.
            let queued = ticks.queue_rest(first).await.map_err(HandlerError::Aws);
            let due = look_ahead::send_wakes(clients, clock, first, request_id).await;
            let summary = tick(clients, clock, due, request_id).await;
            queued.and(summary).map(Answer::Tick)
        }
        Event::Messages(messages) => Ok(Answer::Messages(handle_all(clients, messages, start, request_id).await)),
    }
}

/// Does the work of a tick in these shards.
async fn tick(
    clients: &Clients,
    clock: EventClock,
    due: DueShardNumbers,
    request_id: &str,
) -> Result<Summary, HandlerError> {
    let now = clock.event_time();
    let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
    let mut shards = JoinSet::new();
    for shard in due.executions {
        let token = format!("{request_id}/{shard}");
        let due = DueExecutions { clients: clients.clone(), clock, token, permits: permits.clone() };
        shards.spawn(due.reconcile_shard(shard));
    }
    for shard in due.fleets {
        let due = DueFleets { clients: clients.clone(), now };
        shards.spawn(due.wake_shard(shard, 0..=now.as_seconds()));
    }
    let (mut summary, mut failed_shards) = (Summary::default(), 0);
    while let Some(shard) = shards.join_next().await {
        match shard {
            Ok(Ok(done)) => summary.add(&done),
            Ok(Err(error)) => {
                tracing::error!(error = chain(&error), "a shard of a due index could not be read");
                failed_shards += 1;
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "the task of a shard panicked");
                failed_shards += 1;
            }
        }
    }
    summary.count(now);
    summary.into_result(failed_shards)
}

/// Handles the messages of one event at the same time.
async fn handle_all(clients: &Clients, messages: Vec<Message>, start: Timestamp, request_id: &str) -> BatchResponse {
    let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
    let mut tasks = JoinSet::new();
    for Message { id, body } in messages {
        let (clients, permits) = (clients.clone(), permits.clone());
        let token = format!("{request_id}/{id}");
        tasks.spawn(async move {
            let handled = match body {
                Ok(body) => handle_one(clients, body, start, token, permits).await,
                Err(error) => Err(error),
            };
            handled.map_err(|error| {
                tracing::warn!(error = chain(&error), message = id, "a message could not be handled");
                id
            })
        });
    }
    let mut failed = Vec::new();
    while let Some(handled) = tasks.join_next().await {
        match handled {
            Ok(Ok(())) => {}
            Ok(Err(id)) => failed.push(id),
            // The next tick does its work.
            Err(error) => tracing::error!(error = chain(&error), "the task of a message panicked"),
        }
    }
    BatchResponse::failed(failed.iter().map(String::as_str))
}

/// A message never arrives before its time, but may come late: then it is handled at the time of its arrival, so that
/// what it claims is claimed for as long as any other claim.
async fn handle_one(
    clients: Clients,
    body: MessageBody,
    start: Timestamp,
    token: String,
    permits: Arc<Semaphore>,
) -> Result<(), HandlerError> {
    match body {
        MessageBody::Tick(time) => {
            let due = DueShardNumbers::all(&clients);
            tick(&clients, EventClock::start(time.max(start)), due, &token).await.map(|_| ())
        }
        MessageBody::Wake(wake) => {
            let clock = EventClock::start(wake.at().max(start));
            let due = DueExecutions { clients, clock, token, permits };
            let summary = due.handle_wake(&wake).await.map_err(HandlerError::Aws)?;
            summary.count(clock.event_time());
            summary.into_result(0).map(|_| ())
        }
    }
}
