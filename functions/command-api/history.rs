//! What happened to an execution, in order: when, what, in which attempt, who did it, and by which way.

use domain::{DeliveryStatus, Execution, Reason, Status, Step, Timestamp};
use serde::Serialize;

use crate::time;

/// One thing that happened.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_reason: Option<String>,
    attempt: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
}

const DEVICE: &str = "device";

/// Everything that happened.
pub fn history(row: &Execution) -> Vec<Entry> {
    let attempt = row.attempt;
    let device = |status| Entry { status, attempt, by: Some(DEVICE.to_owned()), ..Entry::default() };
    let by = row.created_by.to_string();
    let created = Entry { status: Some(Status::Created.as_str()), attempt: 1, by: Some(by), ..Entry::default() };
    let mut all = vec![(row.created_at, created)];
    all.extend(first_sending(row));
    let end = row.verdict.map(|verdict| verdict.reason.as_str());
    // Whoever called it off is named with the verdict.
    all.extend(row.steps.iter().filter(|step| Some(step.what.as_str()) != end).map(|step| (step.at, of_step(step))));
    if let Some(at) = row.delivered_at {
        let delivered = Some(DeliveryStatus::Delivered.as_str());
        all.push((at, Entry { delivery_status: delivered, ..device(None) }));
    }
    if let Some(at) = row.started_at {
        all.push((at, device(Some(Status::InProgress.as_str()))));
    }
    if let Some(verdict) = row.verdict {
        let by = row.steps.iter().rfind(|step| step.what == verdict.reason.as_str()).map(|step| step.by.to_string());
        let reason = Some(verdict.reason.to_string());
        let status = Some(verdict.reason.status().as_str());
        all.push((verdict.at, Entry { status, reason, by, ..device(None) }));
    }
    if let Some(outcome) = &row.outcome {
        let reason = outcome.code.as_ref().map(ToString::to_string);
        let via = Some(outcome.path.as_str().to_owned());
        all.push((outcome.at, Entry { reason, via, ..device(Some(row.status.as_str())) }));
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(at, entry)| Entry { at: time::show(at), ..entry }).collect()
}

/// Whoever stores an execution sends it, and does not write so: that would cost as much as storing it.
fn first_sending(row: &Execution) -> Option<(Timestamp, Entry)> {
    let out = matches!(row.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
    let sent = DeliveryStatus::Sent.as_str();
    let written = row.steps.iter().any(|step| step.attempt == 1 && step.what == sent);
    let via = row.steps.iter().find_map(|step| step.via.clone()).unwrap_or_else(|| row.via.to_string());
    let entry = Entry {
        delivery_status: Some(sent),
        attempt: 1,
        by: Some("command-api".to_owned()),
        via: Some(via),
        ..Entry::default()
    };
    (!written && (out || row.attempt > 1)).then_some((row.created_at, entry))
}

/// What a step says: how its request has come along, that it was called off, or that its attempt came to nothing.
fn of_step(step: &Step) -> Entry {
    let (word, code) = match step.what.split_once(' ') {
        Some((word, code)) => (word, Some(code.to_owned())),
        None => (step.what.as_str(), None),
    };
    let known =
        Entry { attempt: step.attempt, by: Some(step.by.to_string()), via: step.via.clone(), ..Entry::default() };
    match (DeliveryStatus::parse(word), Reason::parse(word)) {
        (Ok(delivery), _) => Entry { delivery_status: Some(delivery.as_str()), ..known },
        (_, Ok(reason)) if reason.status() == Status::Canceled => {
            Entry { status: Some(Status::Canceled.as_str()), reason: Some(word.to_owned()), ..known }
        }
        // It is as if it had just been created.
        _ => Entry {
            status: Some(Status::Created.as_str()),
            reason: Some(word.to_owned()),
            device_reason: code,
            ..known
        },
    }
}
