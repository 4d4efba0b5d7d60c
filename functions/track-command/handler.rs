//! Decode the report, decide what it changes, write that. What is no report, or old news, is counted and done with: MQTT
//! brings everything twice, late and out of order, and no retry makes sense of nonsense.

use aws::{Advanced, Executions};
use data_encoding::BASE64;
use domain::{Key, Report, ReportError, Timestamp};
use functions::{
    failure::{Failure, chain},
    telemetry,
};
use serde::Deserialize;

/// What the response rules select.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    payload: String,
    topic: String,
    received_at: i64,
    trace_id: Option<String>,
}

#[derive(Debug)]
struct Received {
    report: Report,
    at: Timestamp,
    topic: String,
    trace: String,
}

/// Why an event is of no use.
#[derive(Debug, thiserror::Error)]
enum Useless {
    #[error("not an event of a response rule")]
    Event(#[source] serde_json::Error),
    #[error("the payload is not base 64")]
    Encoding(#[source] data_encoding::DecodeError),
    #[error("not a report")]
    Report(#[source] ReportError),
}

/// Handles one report.
pub async fn handle(executions: &Executions, event: &str) -> Result<(), Failure> {
    let received = match decode(event) {
        Ok(received) => received,
        Err((useless, event)) => {
            let (at, topic) = event.map(|event| (event.received_at, event.topic)).unwrap_or_default();
            let about = [("topic", topic.as_str()), ("why", &chain(&useless))];
            telemetry::count(Timestamp::from_millis(at), &[("ReportUndecodable", 1)], &about);
            return Ok(());
        }
    };
    let Received { report, at, topic, trace } = received;
    let count = |metric| {
        telemetry::count(at, &[(metric, 1)], &[("topic", &topic), ("traceId", &trace)]);
        Ok(())
    };
    let id = match &report.execution {
        Some(id) => id.clone(),
        // It says only how it went: that is clear as long as there is one execution that it can mean.
        None => match executions.outstanding(&report.thing).await.map_err(Failure::Aws)?.as_slice() {
            [] => return count("ReportUnknown"),
            [only] => only.key.id.clone(),
            _ => return count("ReportAmbiguous"),
        },
    };
    let change = report.change(Key { thing: report.thing.clone(), id }, at);
    match executions.advance(&change).await.map_err(Failure::Aws)? {
        Advanced::Written => Ok(()),
        Advanced::OldNews(_) => count("ReportOldNews"),
        Advanced::Unknown => count("ReportUnknown"),
    }
}

fn decode(event: &str) -> Result<Received, (Useless, Option<Event>)> {
    let event: Event = serde_json::from_str(event).map_err(|error| (Useless::Event(error), None))?;
    let payload = match BASE64.decode(event.payload.as_bytes()) {
        Ok(payload) => payload,
        Err(error) => return Err((Useless::Encoding(error), Some(event))),
    };
    match Report::decode(&event.topic, &payload) {
        Ok(report) => Ok(Received {
            report,
            at: Timestamp::from_millis(event.received_at),
            topic: event.topic,
            trace: event.trace_id.unwrap_or_default(),
        }),
        Err(error) => Err((Useless::Report(error), Some(event))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn every_good_event_is_a_report_and_every_bad_one_is_counted() {
        for (name, event) in fixtures("track-command") {
            let decoded = decode(&event);
            match name.split_once('_').map(|(kind, _)| kind) {
                Some("good") => assert!(decoded.is_ok(), "{name}: {:?}", decoded.err()),
                Some("bad") => assert!(decoded.is_err(), "{name}"),
                _ => panic!("{name} is neither good_ nor bad_"),
            }
        }
    }
}
