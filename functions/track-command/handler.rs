//! Decode what a device said, decide what it changes, write that. What is no report, or old news, is counted and done with: MQTT
//! brings everything twice, late and out of order, and no retry makes sense of nonsense.

use std::borrow::Cow;

use aws::{Advanced, Error};
use data_encoding::BASE64;
use domain::{By, Execution, Key, Report, Reported, Timestamp};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::shadow;
use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    stopwatch::Stopwatch,
    telemetry,
    turn::{Turn, Wrote},
    unreadable,
};

/// What the rules select: a message on a response topic, or a shadow that has changed. Anything else is a mistake in the
/// wiring, which whoever deployed it has to see.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(deserialize_with = "base64")]
    payload: Vec<u8>,
    topic: String,
    received_at: i64,
    trace_id: Option<String>,
}

/// What came of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is written.
    News,
    /// The execution has come as far, or further.
    Old,
    /// There is no such execution.
    Unknown,
}

/// Others may be faster, a few times.
const TRIES: usize = 4;

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = <Cow<str>>::deserialize(deserializer)?;
    BASE64.decode(text.as_bytes()).map_err(|error| D::Error::custom(format!("the payload is not base 64: {error}")))
}

/// Handles one event. `request_id` is the same when the event is handled again.
pub async fn handle(cloud: &Cloud, event: &str, request_id: &str) -> Result<(), Failure> {
    if shadow::is_one(event) {
        return shadow::handle(cloud, event, request_id).await;
    }
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
        None => {
            let found = cloud.executions.outstanding(&report.thing, at).await.map_err(Failure::Aws)?;
            unreadable::tell(at, &report.thing, &found.unreadable);
            match (found.executions.as_slice(), found.unreadable.as_slice()) {
                ([], []) => return count("ReportUnknown", "the thing has no outstanding execution"),
                ([only], []) => only.key.id.clone(),
                // It may mean the one that can't be read: that it means another would be a guess.
                _ => return count("ReportAmbiguous", "the thing has several outstanding executions"),
            }
        }
    };
    let turn = turn(cloud, at, request_id);
    let key = Key { thing: report.thing.clone(), id };
    match hear(&turn, key, &report).await.map_err(Failure::Aws)? {
        Heard::News => Ok(()),
        Heard::Old => count("ReportOldNews", "the execution has come as far, or further"),
        Heard::Unknown => count("ReportUnknown", "the thing has no such execution"),
    }
}

pub(super) fn turn<'a>(cloud: &'a Cloud, now: Timestamp, token: &'a str) -> Turn<'a> {
    Turn { cloud, now, by: By::function("track-command"), token, since: Stopwatch::start() }
}

/// Writes what a report says. What ends it depends on what is left to do then, and a beat that does not count itself on those
/// before it: the row is read first, which costs less than a write that is refused. A beat that counts itself is written blindly.
async fn hear(turn: &Turn<'_>, key: Key, report: &Report) -> Result<Heard, Error> {
    let counts = matches!(report.reported, Reported::InProgress { seq } if seq > 0);
    if !counts {
        return match turn.read(&key).await? {
            Some(row) => hear_knowing(turn, row, report).await,
            None => Ok(Heard::Unknown),
        };
    }
    match turn.cloud.executions.write(&report.change(key, turn.now)).await? {
        Advanced::Written(row) => {
            begun(turn, row.map(|row| *row)).await?;
            Ok(Heard::News)
        }
        Advanced::Unknown => Ok(Heard::Unknown),
        Advanced::OldNews(row) => hear_knowing(turn, *row, report).await,
    }
}

/// Writes what a report says of a row that is in hand.
async fn hear_knowing(turn: &Turn<'_>, mut row: Execution, said: &Report) -> Result<Heard, Error> {
    for _ in 0..TRIES {
        let taken = row.takes_up(said);
        let report = taken.as_ref().unwrap_or(said);
        let change = report.change(row.key.clone(), turn.now);
        if change.is_terminal() {
            return finish(turn, row, said).await;
        }
        let change = if row.apply(&change).is_some() { Some(change) } else { row.beat(&change) };
        let Some(change) = change else { return Ok(Heard::Old) };
        row = match turn.write(row, &change).await? {
            Wrote::New(row) => {
                begun(turn, Some(row)).await?;
                return Ok(Heard::News);
            }
            // Someone was faster: perhaps it is still a beat.
            Wrote::Old(row) => row,
            Wrote::Gone => return Ok(Heard::Unknown),
        };
    }
    Ok(Heard::Old)
}

/// One that could fall silent before it would be looked at is looked at sooner. That is so once at most, as it begins.
async fn begun(turn: &Turn<'_>, row: Option<Execution>) -> Result<(), Error> {
    if let Some(row) = row
        && let Some(sooner) = row.looked_at_sooner()
    {
        turn.write(row, &sooner).await?;
    }
    Ok(())
}

/// Ends an execution that is in hand, or its attempt, and does what is left to do then. Where only a shadow is left, it is
/// cleared first: that saves two writes.
pub(super) async fn finish(turn: &Turn<'_>, mut row: Execution, said: &Report) -> Result<Heard, Error> {
    for _ in 0..TRIES {
        // It may have been asked again meanwhile.
        let taken = row.takes_up(said);
        let report = taken.as_ref().unwrap_or(said);
        if row.finish(report, turn.now, false).is_none() {
            // It may be this report that has ended it, with its answer lost.
            if row.is_terminal() {
                turn.drive(row).await?;
            }
            return Ok(Heard::Old);
        }
        let withdrawn = row.withdraw
            && !row.in_lane
            && row.would_end(report, turn.now)
            && match turn.withdraw(&row).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(error = chain(&error), execution = %row.key, "its shadow has to wait");
                    false
                }
            };
        let Some(change) = row.finish(report, turn.now, withdrawn) else { return Ok(Heard::Old) };
        row = match turn.write(row, &change).await? {
            Wrote::New(row) => {
                turn.drive(row).await?;
                return Ok(Heard::News);
            }
            Wrote::Old(row) => row,
            Wrote::Gone => return Ok(Heard::Unknown),
        };
    }
    Err(Error::busy("ending an execution", &row.key))
}

#[cfg(test)]
mod tests {
    use domain::ShadowEvent;

    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn every_good_event_is_a_report_and_every_bad_one_is_a_failure_or_no_report() {
        for (name, event) in fixtures("track-command") {
            let text = event;
            let event: Result<Event, _> = serde_json::from_str(&text);
            if shadow::is_one(&text) {
                assert_eq!(ShadowEvent::decode(&text).is_ok(), name.starts_with("good_"), "{name}");
                continue;
            }
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
