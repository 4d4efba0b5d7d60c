//! Decode the report, decide what it changes, write that. What is no report, or old news, is counted and done with: MQTT
//! brings everything twice, late and out of order, and no retry makes sense of nonsense.

use std::borrow::Cow;

use crate::{
    failure::{Failure, chain},
    telemetry,
};
use aws::{Advanced, Executions};
use data_encoding::BASE64;
use domain::{Key, Report, Timestamp};
use serde::{Deserialize, Deserializer, de::Error as _};

/// What the response rules select. Anything else is a mistake in the wiring, which whoever deployed it has to see.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(deserialize_with = "base64")]
    payload: Vec<u8>,
    topic: String,
    received_at: i64,
    trace_id: Option<String>,
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = <Cow<str>>::deserialize(deserializer)?;
    BASE64.decode(text.as_bytes()).map_err(|error| D::Error::custom(format!("the payload is not base 64: {error}")))
}

/// Handles one report.
pub async fn handle(executions: &Executions, event: &str) -> Result<(), Failure> {
    let event: Event = serde_json::from_str(event).map_err(Failure::Event)?;
    let at = Timestamp::from_millis(event.received_at);
    let count = |metric, why: &str| {
        let trace = event.trace_id.as_deref().unwrap_or_default();
        telemetry::count(at, &[(metric, 1)], &[("topic", &event.topic), ("traceId", trace), ("why", why)]);
        Ok(())
    };
    let report = match Report::decode(&event.topic, &event.payload) {
        Ok(report) => report,
        Err(error) => return count("ReportUndecodable", &chain(&error)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn every_good_event_is_a_report_and_every_bad_one_is_a_failure_or_no_report() {
        for (name, event) in fixtures("track-command") {
            let event: Result<Event, _> = serde_json::from_str(&event);
            let envelope = !matches!(
                name.as_str(),
                "bad_base64" | "bad_event_of_another_function" | "bad_event_without_topic" | "bad_received_at_as_text"
            );
            assert_eq!(event.is_ok(), envelope, "{name}: {:?}", event.err());
            let Ok(event) = event else { continue };
            let decoded = Report::decode(&event.topic, &event.payload);
            match name.split_once('_').map(|(kind, _)| kind) {
                Some("good") => assert!(decoded.is_ok(), "{name}: {:?}", decoded.err()),
                Some("bad") => assert!(decoded.is_err(), "{name}"),
                _ => panic!("{name} is neither good_ nor bad_"),
            }
        }
    }
}
