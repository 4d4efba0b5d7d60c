//! Finds devices' reports in messages and events, in every dialect: JSON, text, and shadows.

use serde_json::Value;

use crate::history::{Report, ReportedStatus};

/// Reports in an event that track-command was invoked with.
pub(super) fn reports_in_event(at_ms: i64, event: &[u8]) -> Vec<Report> {
    let Ok(event) = serde_json::from_slice::<Value>(event) else { return Vec::new() };
    let payload = event["payload"].as_str().and_then(|text| data_encoding::BASE64.decode(text.as_bytes()).ok());
    match (event["topic"].as_str(), payload) {
        (Some(topic), Some(payload)) => reports_in_message(at_ms, topic, &payload),
        _ => match event["thing"].as_str() {
            Some(thing) => reports_in_shadow(at_ms, thing, &event["state"]["reported"]),
            None => Vec::new(),
        },
    }
}

/// Reports in a message that a device published on any topic.
pub(super) fn reports_in_message(at_ms: i64, topic: &str, payload: &[u8]) -> Vec<Report> {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels[..] {
        ["$aws", "rules", _, "cmd", thing, "resp" | "response"] | ["cmd", thing, "resp" | "response"] => {
            report_in_response(at_ms, thing, None, payload)
        }
        ["$aws", "rules", _, "cmd", thing, "resp", id] | ["cmd", thing, "resp", id] => {
            report_in_response(at_ms, thing, Some(id), payload)
        }
        ["$aws", "things", thing, "shadow", .., "update"] => {
            let update: Value = serde_json::from_slice(payload).unwrap_or_default();
            reports_in_shadow(at_ms, thing, &update["state"]["reported"])
        }
        _ => Vec::new(),
    }
}

fn report_in_response(at_ms: i64, thing: &str, id_in_topic: Option<&str>, payload: &[u8]) -> Vec<Report> {
    let text = String::from_utf8_lossy(payload);
    let json: Value = serde_json::from_slice(payload).unwrap_or_default();
    // The id of a command, a UUID: this history does not derive the ids of executions.
    let id_in_topic = id_in_topic.filter(|id| !id.contains('-'));
    let id = id_in_topic.or(json["executionId"].as_str());
    let status = match json["status"].as_str() {
        Some(text) => status_in(text),
        // The IoT Atlas device's confirmation that it relayed the command.
        None if json["deviceId"].is_string() => Some(ReportedStatus::Succeeded),
        None => status_in(&text),
    };
    let report = |status| Report {
        at_ms,
        thing: thing.to_owned(),
        execution: id.unwrap_or_default().to_owned(),
        attempt: json["attempt"].as_u64().unwrap_or(1),
        status,
        is_named: id.is_some(),
        on_failure_queue: false,
    };
    status.map(report).into_iter().collect()
}

/// Reports in a shadow's `reported` section: one per entry in `c`; any other attribute may satisfy a desired state.
fn reports_in_shadow(at_ms: i64, thing: &str, reported: &Value) -> Vec<Report> {
    let Some(reported) = reported.as_object() else { return Vec::new() };
    // Every change of the shadow repeats an entry that stays in it, also after its row has ended: track-command need
    // not apply it, so it does not count as named.
    let report = |execution: &str, attempt, status| Report {
        at_ms,
        thing: thing.to_owned(),
        execution: execution.to_owned(),
        attempt,
        status,
        is_named: false,
        on_failure_queue: false,
    };
    let entries = reported.get("c").and_then(Value::as_object).into_iter().flatten();
    let mut reports: Vec<Report> = entries
        .filter_map(|(id, entry)| {
            Some(report(id, entry["attempt"].as_u64().unwrap_or(1), status_in(entry["status"].as_str()?)?))
        })
        .collect();
    if reported.keys().any(|key| key != "c") {
        reports.push(report("", 1, ReportedStatus::Succeeded));
    }
    reports
}

/// The first status word in a text, in any case.
fn status_in(text: &str) -> Option<ReportedStatus> {
    let words = [
        ("SUCC", ReportedStatus::Succeeded),
        ("FAIL", ReportedStatus::Failed),
        ("REJECT", ReportedStatus::Rejected),
        ("TIMED_OUT", ReportedStatus::TimedOut),
        ("PROGRESS", ReportedStatus::InProgress),
        ("RUNNING", ReportedStatus::InProgress),
    ];
    let text = text.to_ascii_uppercase();
    let found = words.into_iter().filter_map(|(word, status)| Some((text.find(word)?, status)));
    found.min_by_key(|(at, _)| *at).map(|(_, status)| status)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Execution id, status and whether the id was named, of each report in a message.
    fn reports_on(topic: &str, payload: &str) -> Vec<(String, ReportedStatus, bool)> {
        let reports = reports_in_message(0, topic, payload.as_bytes()).into_iter();
        reports.map(|report| (report.execution, report.status, report.is_named)).collect()
    }

    #[test]
    fn reports_are_found_in_every_dialect() {
        let json = r#"{"executionId":"x","status":"FAILED"}"#;
        for topic in ["cmd/p/resp", "cmd/p/response", "$aws/rules/r/cmd/p/resp"] {
            assert_eq!(reports_on(topic, json), [("x".to_owned(), ReportedStatus::Failed, true)], "{topic}");
        }
        assert_eq!(reports_on("cmd/p/resp/y", "SUCCESS"), [("y".to_owned(), ReportedStatus::Succeeded, true)]);
        assert_eq!(reports_on("cmd/p/resp/y", "FAILURE: no success"), [("y".to_owned(), ReportedStatus::Failed, true)]);
        let of_command = "cmd/p/resp/018bcfe5-687b-7d2c-9a41-5f0c3b8e7a10";
        assert_eq!(reports_on(of_command, "SUCCESS"), [(String::new(), ReportedStatus::Succeeded, false)]);
        assert_eq!(reports_on("cmd/p/resp", "RUNNING"), [(String::new(), ReportedStatus::InProgress, false)]);
        let entry = r#"{"state":{"reported":{"c":{"x":{"status":"REJECTED"}}}}}"#;
        let rejected = [("x".to_owned(), ReportedStatus::Rejected, false)];
        assert_eq!(reports_on("$aws/things/p/shadow/name/cmd/update", entry), rejected);
        let attribute = r#"{"state":{"reported":{"speed":3}}}"#;
        let satisfied = [(String::new(), ReportedStatus::Succeeded, false)];
        assert_eq!(reports_on("$aws/things/p/shadow/update", attribute), satisfied);
        assert_eq!(reports_on("other", json), []);
    }
}
