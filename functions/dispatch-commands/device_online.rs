//! A device comes online: the executions that wait for it are sent, and those again that were not acknowledged.

use domain::{Actor, RequestTopics, Timestamp};

use super::event::LifecycleEvent;
use runtime::clients::Clients;
use runtime::event_calls::driver;
use runtime::event_clock::EventClock;
use runtime::handler_error::HandlerError;
use runtime::metrics;

/// Handles one lifecycle event. `topics`: those for requests besides each thing's own. `start`: when the invocation started. `request_id` is the same when Lambda retries the
/// event.
pub async fn handle(
    clients: &Clients,
    topics: &RequestTopics,
    event: &LifecycleEvent,
    start: Timestamp,
    request_id: &str,
) -> Result<(), HandlerError> {
    let Some(thing) = event.thing(topics) else { return Ok(()) };
    let clock = EventClock::start_late(event.received_at(), start);
    let now = clock.event_time();
    let driver = driver(clients, clock, Actor::function("dispatch-commands"), request_id);
    // Boxed, so that the future of every other event does not have to hold it.
    let done = Box::pin(driver.send_waiting(&thing, event.subscribed())).await.map_err(HandlerError::Aws)?;
    metrics::count_unreadable(now, &thing, &done.unreadable);
    if done.sent > 0 {
        metrics::count(now, &[("ExecutionsReplayed", done.sent)], &[("thing", thing.as_str())]);
    }
    if done.failed > 0 { Err(HandlerError::Incomplete(done.failed)) } else { Ok(()) }
}
