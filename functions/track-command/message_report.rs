//! Applies a report that arrived on a response topic. MQTT delivers messages twice, late and out of order, and no retry
//! mends a malformed one: a report that is malformed, stale or about an unknown execution is counted, and the event has
//! been handled.

use domain::{Key, Report};
use driver::driver::Driver;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;

use super::apply::apply_report;
use super::event::ResponseMessage;
use super::outcome::ReportOutcome;

pub(super) async fn handle(driver: &Driver<'_>, message: &ResponseMessage) -> Result<(), HandlerError> {
    let count = |metric, why: &str| {
        let trace = message.trace_id.as_deref().unwrap_or_default();
        metrics::count(
            driver.event_time(),
            &[(metric, 1)],
            &[("topic", &message.topic), ("traceId", trace), ("why", why)],
        );
        Ok(())
    };
    let report = match Report::decode(&message.topic, &message.payload) {
        Ok(report) => report,
        Err(error) => return count("ReportUndecodable", &chain(&error)),
    };
    let id = match &report.execution {
        Some(id) => id.clone(),
        // The report names no execution: it is about the thing's outstanding one, if there is exactly one.
        None => {
            let found = driver.clients.executions.outstanding(&report.thing, driver.event_time()).await;
            let found = found.map_err(HandlerError::Aws)?;
            metrics::count_unreadable(driver.event_time(), &report.thing, &found.unreadable);
            match (found.executions.as_slice(), found.unreadable.as_slice()) {
                ([], []) => return count("ReportUnknown", "the thing has no outstanding execution"),
                ([only], []) => only.key.id.clone(),
                // The report may be about a row that can't be read.
                _ => return count("ReportAmbiguous", "the thing has several outstanding executions"),
            }
        }
    };
    let key = Key { thing: report.thing.clone(), id };
    match apply_report(driver, key, &report).await.map_err(HandlerError::Aws)? {
        ReportOutcome::Applied => Ok(()),
        ReportOutcome::Stale => count("ReportOldNews", "the execution already has this status or a later one"),
        ReportOutcome::UnknownExecution => count("ReportUnknown", "the thing has no such execution"),
    }
}
