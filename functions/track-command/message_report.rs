//! Applies a report that arrived on a response topic. MQTT delivers messages twice, late and out of order, and no retry
//! mends a malformed one: a report that is malformed, stale or about an unknown execution is counted, and the event has
//! been handled.

use domain::{EchoMatch, Execution, Key, Report, ResponseTopic, UnusableReport};
use driver::report::ReportOutcome;
use runtime::event_calls::Driver;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;

use super::echo::{self, Echo};
use super::event::ResponseMessage;
use super::unusable;

pub(super) async fn handle(driver: &Driver<'_>, message: &ResponseMessage) -> Result<(), HandlerError> {
    let report = match Report::decode(&message.topic, &message.payload) {
        Ok(report) => report,
        Err(error) => return refuse(driver, message, "ReportUndecodable", &chain(&error)).await,
    };
    let echo = match &report.echo {
        // A topic that names its execution is exact.
        Some(request) if !names_execution(&message.topic) => {
            Some(Box::pin(echo::find(driver, &report.thing, request)).await?)
        }
        _ => None,
    };
    let id = match (echo, &report.execution) {
        (Some(Echo::Ours(EchoMatch::Execution(id))), _) => id,
        (Some(Echo::Ours(EchoMatch::Ambiguous)), _) => {
            let why = "it echoes a request that the thing has several executions of";
            return refuse(driver, message, "ReportAmbiguous", why).await;
        }
        (Some(Echo::Ours(EchoMatch::NotFound)), _) => {
            count(driver, message, "ReportOldNews", "the executions of the request that it echoes have ended");
            return Ok(());
        }
        (Some(Echo::Foreign) | None, Some(id)) => id.clone(),
        // It changes nothing, here as in the thing's list of unusable reports: the device answers another application.
        (Some(Echo::Foreign), None) => {
            count(driver, message, "ReportUndecodable", "the report echoes a request that is not one of ours");
            return Ok(());
        }
        // The report names no execution: it is about the thing's outstanding one, if there is exactly one.
        (None, None) => {
            let found = driver.calls.clients.executions.outstanding(&report.thing, driver.event_time()).await;
            let found = found.map_err(HandlerError::Aws)?;
            metrics::count_unreadable(driver.event_time(), &report.thing, &found.unreadable);
            match (found.executions.as_slice(), found.unreadable.as_slice()) {
                ([], []) => {
                    return refuse(driver, message, "ReportUnknown", "the thing has no outstanding execution").await;
                }
                ([only], []) if report.is_relayed && !is_relay_of(driver, &report, only).await? => {
                    let why = "it relays a message, and that is not the message of the only command in its shadow";
                    return refuse(driver, message, "ReportUnknown", why).await;
                }
                ([only], []) => only.key.id.clone(),
                // The report may be about a row that can't be read.
                _ => {
                    let why = "it names no execution, and the thing has several outstanding ones";
                    return refuse(driver, message, "ReportAmbiguous", why).await;
                }
            }
        }
    };
    let key = Key { thing: report.thing.clone(), id };
    match driver.apply_report(key, &report).await.map_err(HandlerError::Aws)? {
        ReportOutcome::Applied => {}
        ReportOutcome::Stale => {
            count(driver, message, "ReportOldNews", "the execution already has this status or a later one");
        }
        ReportOutcome::NotCanceled => {
            return refuse(driver, message, "ReportUnknown", "CANCELED confirms a cancel, and there was none").await;
        }
        ReportOutcome::UnknownExecution => {
            return refuse(driver, message, "ReportUnknown", "the thing has no such execution").await;
        }
        ReportOutcome::UnknownAttempt => {
            return refuse(driver, message, "ReportUnknown", "the execution has not had this attempt").await;
        }
    }
    Ok(())
}

fn names_execution(topic: &str) -> bool {
    ResponseTopic::parse(topic).is_ok_and(|topic| topic.execution.is_some())
}

async fn is_relay_of(driver: &Driver<'_>, report: &Report, execution: &Execution) -> Result<bool, HandlerError> {
    let command = driver.calls.clients.commands.get(&execution.command).await.map_err(HandlerError::Aws)?;
    Ok(command.is_some_and(|command| report.is_relay_of(&command, execution)))
}

/// Counts a report that could not be used, and keeps it for `?explain`.
async fn refuse(driver: &Driver<'_>, message: &ResponseMessage, metric: &str, why: &str) -> Result<(), HandlerError> {
    count(driver, message, metric, why);
    if let Ok(topic) = ResponseTopic::parse(&message.topic) {
        let at = driver.event_time();
        let report = UnusableReport::new(at, topic.execution.as_ref(), &message.payload, why);
        // Boxed: only few reports come here, and the future of the others stays small.
        Box::pin(unusable::keep(driver, &topic.thing, report)).await;
    }
    Ok(())
}

fn count(driver: &Driver<'_>, message: &ResponseMessage, metric: &str, why: &str) {
    let trace = message.trace_id.as_deref().unwrap_or_default();
    let about = [("topic", message.topic.as_str()), ("traceId", trace), ("why", why)];
    metrics::count(driver.event_time(), &[(metric, 1)], &about);
}
