//! Decodes an event and hands it on by its kind.

use domain::{Actor, ShadowEventError, Timestamp};
use runtime::clients::Clients;
use runtime::event_calls::driver;
use runtime::event_clock::EventClock;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;

use super::event::Event;
use super::{message_report, shadow_reports};

/// Handles one event. `start`: when the invocation started. `request_id` is the same when Lambda retries the event.
///
/// # Errors
///
/// [`HandlerError`] if the event is not what a rule of this function selects, or AWS does not answer.
pub async fn handle(clients: &Clients, event: &str, start: Timestamp, request_id: &str) -> Result<(), HandlerError> {
    let event = match Event::decode(event) {
        // Any client may publish to a shadow topic with a name that no thing or shadow has here: no retry mends that.
        Err(HandlerError::Shadow(error @ ShadowEventError::Name(_))) => {
            metrics::count(start, &[("ShadowUndecodable", 1)], &[("why", &chain(&error))]);
            return Ok(());
        }
        decoded => decoded?,
    };
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
