//! Decodes an event and hands it on by its kind.

use domain::{Actor, Timestamp};
use runtime::clients::Clients;
use runtime::event_calls::driver;
use runtime::event_clock::EventClock;
use runtime::handler_error::HandlerError;

use super::event::Event;
use super::{message_report, shadow_reports};

/// Handles one event. `start`: when the invocation started. `request_id` is the same when Lambda retries the event.
///
/// # Errors
///
/// [`HandlerError`] if the event is not what a rule of this function selects, or AWS does not answer.
pub async fn handle(clients: &Clients, event: &str, start: Timestamp, request_id: &str) -> Result<(), HandlerError> {
    let event = Event::decode(event)?;
    let clock = EventClock::start_late(event.received_at(), start);
    let driver = driver(clients, clock, Actor::function("track-command"), request_id);
    match event {
        Event::Report(message) => message_report::handle(&driver, &message).await,
        Event::Shadow(shadow) => shadow_reports::handle(&driver, &shadow).await,
        Event::Refusal(refusal) => {
            shadow_reports::handle_refusal(&driver, &refusal).await;
            Ok(())
        }
    }
}
