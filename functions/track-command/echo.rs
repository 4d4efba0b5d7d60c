//! Finds the execution of a raw request that a device echoes in its report.

use domain::{EchoMatch, Key, RequestDigest, ThingName};
use runtime::event_calls::Driver;
use runtime::handler_error::HandlerError;
use runtime::metrics;

/// Whose request is echoed.
pub(super) enum Echo {
    /// One of ours.
    Ours(EchoMatch),
    /// That of another application.
    Foreign,
}

/// Finds the execution on a thing whose request has these bytes.
pub(super) async fn find(driver: &Driver<'_>, thing: &ThingName, request: &[u8]) -> Result<Echo, HandlerError> {
    let (clients, at) = (driver.calls.clients, driver.event_time());
    let requests = clients.raw_requests.read(thing, &RequestDigest::of(request)).await.map_err(HandlerError::Aws)?;
    if requests.is_unknown() {
        return Ok(Echo::Foreign);
    }
    if requests.may_lack(at) {
        return Ok(Echo::Ours(EchoMatch::Ambiguous));
    }
    let keys: Vec<Key> = requests.executions.into_iter().map(|(id, _)| Key { thing: thing.clone(), id }).collect();
    let found = clients.executions.get_all(&keys).await.map_err(HandlerError::Aws)?;
    metrics::count_unreadable(at, thing, &found.unreadable);
    Ok(Echo::Ours(match found.unreadable.is_empty() {
        true => EchoMatch::of(&found.executions, at),
        // The report may be about a row that can't be read.
        false => EchoMatch::Ambiguous,
    }))
}
