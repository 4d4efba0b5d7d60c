//! What a world's journal and its devices tell, as a history that can be judged.

use std::collections::HashSet;

use local::faults::Transit;
use local::journal::{Entry, Event};
use serde_json::Value;

use crate::history::{Delivery, History, Report, ReportedStatus, RowImage};
use crate::world::{COMMANDS, EXECUTIONS};

/// The history in a journal. What somebody was told is accepted is given as thing and command id.
pub fn history(entries: &[Entry], accepted: &[(String, String)], now_ms: i64) -> History {
    let mut history = History::default();
    let mut seen = HashSet::new();
    for Entry { at_ms, origin, event } in entries {
        match event {
            Event::Written { table, key, before, after: Some(item), .. } if table == EXECUTIONS => {
                // A row that nobody saw being made was as it was before it was first written.
                let first = before.as_ref().filter(|_| seen.insert(key.to_string()));
                history.images.extend(first.and_then(|item| RowImage::read(*at_ms, item)));
                history.images.extend(RowImage::read(*at_ms, item));
                seen.insert(key.to_string());
            }
            Event::Written { table, after: Some(item), .. } if table == COMMANDS => {
                let id = item["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("C#"));
                let superseding = id.filter(|_| item.get("supersede").is_some());
                history.superseding_commands.extend(superseding.map(str::to_owned));
            }
            // What a function took back was never there; what a test takes away is still owed.
            Event::Written { table, key, after: None, .. } if table == EXECUTIONS && origin.is_some() => {
                let part = |name: &str, prefix: &str| key[name]["S"].as_str()?.strip_prefix(prefix).map(str::to_owned);
                if let (Some(thing), Some(execution)) = (part("pk", "T#"), part("sk", "E#")) {
                    history.images.push(RowImage::deleted(*at_ms, thing, execution));
                }
            }
            Event::Handed { topic, payload, transit, .. } if *transit != Transit::Lost => {
                history.deliveries.extend(delivery(*at_ms, topic, payload));
            }
            Event::Published { topic, payload, client: Some(_) } => {
                history.reports.extend(words(*at_ms, topic, payload));
            }
            // Tests hand events to functions themselves too.
            Event::Began { payload, .. } => history.reports.extend(handed_over(*at_ms, payload)),
            _ => {}
        }
    }
    for (thing, command) in accepted {
        let row = history.images.iter().find(|row| row.thing == *thing && row.text("command_id") == Some(command));
        let execution = row.map_or(command, |row| &row.execution).clone();
        history.accepted.push((thing.clone(), execution));
    }
    let last = history.images.iter().filter_map(|row| row.number("finish_by")).max();
    // Two ticks: one that finds it, and one for what that sets free.
    history.is_over = last.is_some_and(|last| now_ms > last + 120_000);
    history
}

fn delivery(at_ms: i64, topic: &str, payload: &[u8]) -> Option<Delivery> {
    let thing = topic.strip_prefix("cmd/")?.strip_suffix("/req")?.to_owned();
    let request: Value = serde_json::from_slice(payload).ok()?;
    Some(Delivery {
        at_ms,
        thing,
        execution: request["executionId"].as_str()?.to_owned(),
        attempt: request["attempt"].as_u64()?,
        expires_at_ms: request["expiresAt"].as_i64()? * 1000,
    })
}

/// The words in an event that a test, or a rule, gave to track-command.
fn handed_over(at_ms: i64, event: &[u8]) -> Vec<Report> {
    let Ok(event) = serde_json::from_slice::<Value>(event) else { return Vec::new() };
    let payload = event["payload"].as_str().and_then(|text| data_encoding::BASE64.decode(text.as_bytes()).ok());
    match (event["topic"].as_str(), payload) {
        (Some(topic), Some(payload)) => words(at_ms, topic, &payload),
        _ => match event["thing"].as_str() {
            Some(thing) => in_shadow(at_ms, thing, &event["state"]["reported"]),
            None => Vec::new(),
        },
    }
}

/// What a device says with a message, on whatever topic.
fn words(at_ms: i64, topic: &str, payload: &[u8]) -> Vec<Report> {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels[..] {
        ["$aws", "rules", _, "cmd", thing, "resp" | "response"] | ["cmd", thing, "resp" | "response"] => {
            answer(at_ms, thing, None, payload)
        }
        ["$aws", "rules", _, "cmd", thing, "resp", id] | ["cmd", thing, "resp", id] => {
            answer(at_ms, thing, Some(id), payload)
        }
        ["$aws", "things", thing, "shadow", .., "update"] => {
            let update: Value = serde_json::from_slice(payload).unwrap_or_default();
            in_shadow(at_ms, thing, &update["state"]["reported"])
        }
        _ => Vec::new(),
    }
}

fn answer(at_ms: i64, thing: &str, in_topic: Option<&str>, payload: &[u8]) -> Vec<Report> {
    let text = String::from_utf8_lossy(payload);
    let json: Value = serde_json::from_slice(payload).unwrap_or_default();
    let named = in_topic.or(json["executionId"].as_str());
    let attempt = json["attempt"].as_u64().unwrap_or(1);
    let said = match json["status"].as_str() {
        Some(status) => said(status),
        // It says that it has relayed the command.
        None if json["deviceId"].is_string() => Some(ReportedStatus::Succeeded),
        None => said(&text),
    };
    let word = |said| Report {
        at_ms,
        thing: thing.to_owned(),
        execution: named.unwrap_or_default().to_owned(),
        attempt,
        status: said,
        is_named: named.is_some(),
        on_failure_queue: false,
    };
    said.map(word).into_iter().collect()
}

/// What a device says in its shadow: word for word in `c`; and with whatever else it reports, that it is as was wished.
fn in_shadow(at_ms: i64, thing: &str, reported: &Value) -> Vec<Report> {
    let Some(reported) = reported.as_object() else { return Vec::new() };
    let word = |execution: &str, attempt, said, named| Report {
        at_ms,
        thing: thing.to_owned(),
        execution: execution.to_owned(),
        attempt,
        status: said,
        is_named: named,
        on_failure_queue: false,
    };
    let entries = reported.get("c").and_then(Value::as_object).into_iter().flatten();
    // What stays in a shadow is said again with every change of it, when its row has long ended: it need not be heard.
    let mut words: Vec<Report> = entries
        .filter_map(|(id, entry)| {
            Some(word(id, entry["attempt"].as_u64().unwrap_or(1), said(entry["status"].as_str()?)?, false))
        })
        .collect();
    if reported.keys().any(|key| key != "c") {
        words.push(word("", 1, ReportedStatus::Succeeded, false));
    }
    words
}

/// The first word in a text that is one.
fn said(text: &str) -> Option<ReportedStatus> {
    let words = [
        ("SUCC", ReportedStatus::Succeeded),
        ("FAIL", ReportedStatus::Failed),
        ("REJECT", ReportedStatus::Rejected),
        ("TIMED_OUT", ReportedStatus::TimedOut),
        ("PROGRESS", ReportedStatus::InProgress),
        ("RUNNING", ReportedStatus::InProgress),
    ];
    let text = text.to_ascii_uppercase();
    let found = words.into_iter().filter_map(|(word, said)| Some((text.find(word)?, said)));
    found.min_by_key(|(at, _)| *at).map(|(_, said)| said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said_on(topic: &str, payload: &str) -> Vec<(String, ReportedStatus, bool)> {
        words(0, topic, payload.as_bytes()).into_iter().map(|word| (word.execution, word.status, word.is_named)).collect()
    }

    #[test]
    fn words_are_found_wherever_devices_say_them() {
        let json = r#"{"executionId":"x","status":"FAILED"}"#;
        for topic in ["cmd/p/resp", "cmd/p/response", "$aws/rules/r/cmd/p/resp"] {
            assert_eq!(said_on(topic, json), [("x".to_owned(), ReportedStatus::Failed, true)], "{topic}");
        }
        assert_eq!(said_on("cmd/p/resp/y", "SUCCESS"), [("y".to_owned(), ReportedStatus::Succeeded, true)]);
        assert_eq!(said_on("cmd/p/resp/y", "FAILURE: no success"), [("y".to_owned(), ReportedStatus::Failed, true)]);
        assert_eq!(said_on("cmd/p/resp", "RUNNING"), [(String::new(), ReportedStatus::InProgress, false)]);
        let shadow = r#"{"state":{"reported":{"c":{"x":{"status":"REJECTED"}}}}}"#;
        assert_eq!(said_on("$aws/things/p/shadow/name/cmd/update", shadow), [("x".to_owned(), ReportedStatus::Rejected, false)]);
        let agrees = r#"{"state":{"reported":{"speed":3}}}"#;
        assert_eq!(said_on("$aws/things/p/shadow/update", agrees), [(String::new(), ReportedStatus::Succeeded, false)]);
        assert_eq!(said_on("other", json), []);
    }
}
