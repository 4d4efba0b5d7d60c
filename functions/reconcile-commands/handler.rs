//! Handles a tick: looks for due work in all shards at the same time.
//!
//! A report that comes in between wins: a decision is written only to the row that was read.

use domain::{FLEET_SHARDS, SHARDS};
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::{HandlerError, chain};
use tokio::task::JoinSet;

use super::{due_executions::DueExecutions, due_fleets::DueFleets, event::Event, summary::Summary, ticks::Ticks};

/// Handles one tick. `request_id` is the same when Lambda retries the event.
///
/// # Errors
/// [`HandlerError`] if the event is not a tick, the later ticks could not be queued, or a part of the due work failed.
pub async fn handle(clients: &Clients, ticks: &Ticks, event: &str, request_id: &str) -> Result<Summary, HandlerError> {
    let event = Event::decode(event)?;
    // Before the work, which may take most of a minute.
    let queued = match event {
        Event::Schedule(first) => ticks.queue_rest(first).await.map_err(HandlerError::Aws),
        Event::Queue(_) => Ok(()),
    };
    let summary = run(clients, EventClock::start(event.time()), request_id).await;
    queued.and(summary)
}

async fn run(clients: &Clients, clock: EventClock, request_id: &str) -> Result<Summary, HandlerError> {
    let now = clock.event_time();
    let mut shards = JoinSet::new();
    for shard in 0..SHARDS {
        let due = DueExecutions { clients: clients.clone(), clock, token: format!("{request_id}/{shard}") };
        shards.spawn(due.drive_shard(shard));
    }
    for shard in 0..FLEET_SHARDS {
        let due = DueFleets { clients: clients.clone(), now };
        shards.spawn(due.wake_shard(shard));
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
