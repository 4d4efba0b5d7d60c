//! A device comes online: the executions that wait for it are sent, the oldest first; and those again that were sent and
//! not acknowledged.
//!
//! Lifecycle events may come twice, late and in any order: an event is only a reason to read which executions wait.
//! Two events that are handled at the same time, as those of a connection and its subscription may be, share the
//! executions between them, and the device may receive a later one first. Only a lane keeps the order of commands.

use aws::Error;
use domain::{Actor, Execution, OnlineAction};

use super::event::LifecycleEvent;
use driver::driver::Driver;
use runtime::clients::Clients;
use runtime::event_clock::EventClock;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;

/// Handles one lifecycle event. `request_id` is the same when Lambda retries the event.
pub async fn handle(clients: &Clients, event: &LifecycleEvent, request_id: &str) -> Result<(), HandlerError> {
    let Some(thing) = event.thing() else { return Ok(()) };
    let clock = EventClock::start(event.received_at());
    let now = clock.event_time();
    let found = clients.executions.waiting(&thing, now, event.is_subscription()).await.map_err(HandlerError::Aws)?;
    metrics::count_unreadable(now, &thing, &found.unreadable);
    if found.executions.is_empty() {
        return Ok(());
    }
    // A device that resumes its session does not subscribe again. Any other device receives requests only after it has
    // subscribed, which is an event of its own.
    let receives_requests =
        event.is_subscription() || clients.messages.is_subscribed(&thing).await.map_err(HandlerError::Aws)?;
    if !receives_requests {
        return Ok(());
    }
    let driver = Driver { clients, clock, actor: Actor::function("dispatch-commands"), token: request_id };
    let (mut sent, mut failed) = (0, 0);
    for row in found.executions {
        match act(&driver, row, event.is_subscription()).await {
            Ok(true) => sent += 1,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(error = chain(&error), %thing, "a waiting execution could not be sent: it is retried");
                failed += 1;
            }
        }
    }
    if sent > 0 {
        metrics::count(now, &[("ExecutionsReplayed", sent)], &[("thing", thing.as_str())]);
    }
    if failed > 0 { Err(HandlerError::Incomplete(failed)) } else { Ok(()) }
}

/// Does what an execution needs because its device came online. Returns whether its request was sent.
async fn act(driver: &Driver<'_>, row: Execution, subscribed: bool) -> Result<bool, Error> {
    let online_since = driver.event_time();
    match row.online_action(online_since, subscribed) {
        OnlineAction::Nothing => Ok(false),
        OnlineAction::Send => Ok(driver.claim_and_send(row).await?.is_some()),
        OnlineAction::SendAgain => Ok(driver.claim_and_send_again(row, online_since).await?.is_some()),
        OnlineAction::SendAgainLater => {
            driver.send_again_later(row).await?;
            Ok(false)
        }
    }
}
