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
    let event: Event = match serde_json::from_str(event) {
        Ok(event) => event,
        Err(error) => {
            let why = chain(&Useless::Event(error));
            telemetry::count(Timestamp::default(), &[("ReportUndecodable", 1)], &[("why", &why)]);
            return Ok(());
        }
    };
    let at = Timestamp::from_millis(event.received_at);
    let count = |metric, why: &str| {
        let trace = event.trace_id.as_deref().unwrap_or_default();
        telemetry::count(at, &[(metric, 1)], &[("topic", &event.topic), ("traceId", trace), ("why", why)]);
        Ok(())
    };
    let report = match decode(&event) {
        Ok(report) => report,
        Err(useless) => return count("ReportUndecodable", &chain(&useless)),
    };
    let id = match &report.execution {
        Some(id) => id.clone(),
        // It says only how it went: that is clear as long as there is one execution that it can mean.
        None => match executions.outstanding(&report.thing, at).await.map_err(Failure::Aws)?.as_slice() {
            [] => return count("ReportUnknown", "the thing has no outstanding execution"),
            [only] => only.key.id.clone(),
            _ => return count("ReportAmbiguous", "the thing has several outstanding executions"),
        },
    };
    let change = report.change(Key { thing: report.thing.clone(), id }, at);
    let mut advanced = executions.advance(&change).await.map_err(Failure::Aws)?;
    if let Advanced::OldNews(row) = &advanced
        && let Some(beat) = row.beat(&change)
    {
        advanced = executions.hear(&row.key, beat).await.map_err(Failure::Aws)?;
    }
    match advanced {
        Advanced::Written => Ok(()),
        Advanced::OldNews(_) => count("ReportOldNews", "the execution has come as far, or further"),
        Advanced::Unknown => count("ReportUnknown", "the thing has no such execution"),
    }
}

fn decode(event: &Event) -> Result<Report, Useless> {
    let payload = BASE64.decode(event.payload.as_bytes()).map_err(Useless::Encoding)?;
    Report::decode(&event.topic, &payload).map_err(Useless::Report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn every_good_event_is_a_report_and_every_bad_one_is_counted() {
        for (name, event) in fixtures("track-command") {
            let decoded = serde_json::from_str(&event).map_err(Useless::Event).and_then(|event: Event| decode(&event));
            match name.split_once('_').map(|(kind, _)| kind) {
                Some("good") => assert!(decoded.is_ok(), "{name}: {:?}", decoded.err()),
                Some("bad") => assert!(decoded.is_err(), "{name}"),
                _ => panic!("{name} is neither good_ nor bad_"),
            }
        }
    }
}
