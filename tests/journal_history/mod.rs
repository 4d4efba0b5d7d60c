//! Converts a world's journal into the history that the properties in `tests/history` are checked against.

mod reports;

use std::collections::HashSet;

use local::faults::Transit;
use local::journal::{Entry, Event};
use serde_json::Value;

use crate::history::{Delivery, History, RowImage};
use crate::world::{COMMANDS, EXECUTIONS};
use reports::{reports_in_event, reports_in_message};

/// The history in a journal. `accepted` holds thing and command id of each command that the API accepted.
pub fn history(entries: &[Entry], accepted: &[(String, String)], now_ms: i64) -> History {
    let mut history = History::default();
    let mut seen = HashSet::new();
    for Entry { at_ms, origin, event } in entries {
        match event {
            Event::Written { table, key, before, after: Some(item), .. } if table == EXECUTIONS => {
                // A row that was filled in without a journal entry counts with its content before its first write.
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
            // Only a delete by a function (it has an origin) ends a row's history: an execution whose row a test
            // deletes must still be completed.
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
                history.reports.extend(reports_in_message(*at_ms, topic, payload));
            }
            // Tests also invoke functions with reports that no client has published.
            Event::Began { payload, .. } => history.reports.extend(reports_in_event(*at_ms, payload)),
            _ => {}
        }
    }
    for (thing, command) in accepted {
        let row = history.images.iter().find(|row| row.thing == *thing && row.text("command_id") == Some(command));
        let execution = row.map_or(command, |row| &row.execution).clone();
        history.accepted.push((thing.clone(), execution));
    }
    let last = history.images.iter().filter_map(|row| row.number("finish_by")).max();
    // Two ticks after the last deadline: one writes the verdict, one handles what the verdict releases.
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
