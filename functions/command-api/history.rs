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
    all.extend(unconfirmed_sending(row));
    let ended = called_off(row);
    all.extend(row.steps.iter().filter(|step| Some(*step) != ended).map(|step| (step.at, of_step(step))));
    if let Some(at) = row.delivered_at {
        let delivered = Some(DeliveryStatus::Delivered.as_str());
        // Where nothing but the answer proves it, it is the attempt that was answered.
        let attempt =
            row.outcome.as_ref().filter(|outcome| outcome.at == at).map_or(attempt, |outcome| outcome.attempt);
        all.push((at, Entry { delivery_status: delivered, attempt, ..device(None) }));
    }
    if let Some(at) = row.started_at {
        all.push((at, device(Some(Status::InProgress.as_str()))));
    }
    if let Some(verdict) = row.verdict {
        let by = ended.map(|step| step.by.to_string());
        let reason = Some(verdict.reason.to_string());
        let status = Some(verdict.reason.status().as_str());
        all.push((verdict.at, Entry { status, reason, by, ..device(None) }));
    }
    if let Some(outcome) = &row.outcome {
        let reason = outcome.code.as_ref().map(ToString::to_string);
        let via = Some(outcome.path.as_str().to_owned());
        let said = device(Some(row.status.as_str()));
        all.push((outcome.at, Entry { reason, via, attempt: outcome.attempt, ..said }));
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(at, entry)| Entry { at: time::show(at), ..entry }).collect()
}

/// The step that called it off: whoever did so is named with the verdict.
fn called_off(row: &Execution) -> Option<&Step> {
    let verdict = row.verdict.filter(|verdict| verdict.reason.status() == Status::Canceled)?;
    row.steps.iter().rfind(|step| step.what == verdict.reason.as_str())
}

/// Whoever stores an execution sends it, and does not write so: that would cost as much as storing it.
fn first_sending(row: &Execution) -> Option<(Timestamp, Entry)> {
    let out = matches!(row.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
    let sent = DeliveryStatus::Sent.as_str();
    // One that waited was sent by whoever claimed it.
    let waited = |what: &str| DeliveryStatus::parse(what).is_ok();
    let claimed = row.claim.is_some() && row.lane.is_some();
    let written = claimed || row.steps.iter().any(|step| step.attempt == 1 && waited(&step.what));
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

/// Whoever claims it writes how that went, unless he dies before or its device is faster.
fn unconfirmed_sending(row: &Execution) -> Option<(Timestamp, Entry)> {
    let sent = DeliveryStatus::Sent.as_str();
    let written = row.steps.iter().any(|step| step.attempt == row.attempt && step.what == sent);
    let known = match row.delivery_status {
        DeliveryStatus::Pending => row.is_terminal(),
        DeliveryStatus::Queued => false,
        DeliveryStatus::Sent | DeliveryStatus::Delivered => true,
    };
    let claimed = row.claim.is_some() && !written;
    let sent_at = row.sent_at.filter(|at| known && claimed && (*at > row.created_at || row.lane.is_some()))?;
    let via = Some(row.via.to_string());
    Some((sent_at, Entry { delivery_status: Some(sent), attempt: row.attempt, via, ..Entry::default() }))
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

#[cfg(test)]
mod tests {
    use domain::{
        Asked, By, Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, Fingerprint, Owed,
        Report, Retry, Target, ThingName, Topic, Via,
    };

    use super::*;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000).plus_seconds(seconds)
    }

    fn execution(delivery: Delivery) -> Execution {
        let asked =
            Asked { on: Some(vec!["NO_RESPONSE", "FAILED"]), wait: Some(10), base: Some(0), ..Asked::default() };
        let thing = ThingName::parse("pump-7").expect("a name");
        let definition = Definition {
            name: CommandName::parse("reboot").expect("a name"),
            payload: None,
            target: Target::Thing(thing.clone()),
            delivery,
            shadow: None,
            deadlines: Deadlines::new(Some(60), None, None).expect("deadlines"),
            retry: Retry::new(&asked, 60).ok(),
            lane: None,
            supersede: false,
        };
        let fingerprint = Fingerprint::of(&definition);
        let id = CommandId::from_request(at(0), "request");
        let (created_at, created_by, control) = (at(0), By::caller("ada"), Control::default());
        let command = Command { id, definition, created_at, created_by, fingerprint, control };
        Execution::create(&command, &thing, Via::of(&command, None), 60)
    }

    fn owed(row: &Execution, seconds: u32) -> Execution {
        match row.owed(at(seconds)) {
            Owed::Change(change) => row.apply(&change).expect("news"),
            other => panic!("{other:?}"),
        }
    }

    fn sent(row: &Execution, seconds: u32) -> Execution {
        let claim = row.claim(at(seconds), "me").expect("to be sent");
        let claimed = row.apply(&claim).expect("news");
        claimed.apply(&claimed.sent(at(seconds), By::function("reconcile-commands"))).expect("news")
    }

    fn reported(row: &Execution, seconds: u32, word: &str) -> Execution {
        let text =
            format!(r#"{{"status":"{word}","attempt":{},"statusReason":{{"reasonCode":"NO_POWER"}}}}"#, row.attempt);
        let report = Report::decode(Topic::response(&row.key.thing).as_str(), text.as_bytes()).expect("a report");
        row.finish(&report, at(seconds), false).and_then(|change| row.apply(&change)).expect("news")
    }

    /// Each step in a line: when, in which attempt, what, why, by whom, by which way.
    fn lines(row: &Execution) -> Vec<String> {
        let line = |entry: Entry| {
            let seconds = (time::parse(&entry.at).expect("a time").as_millis() - at(0).as_millis()) / 1000;
            let what = entry.status.or(entry.delivery_status).expect("what");
            let rest = [entry.reason, entry.device_reason, entry.by, entry.via];
            let rest: Vec<_> = rest.into_iter().map(|part| part.unwrap_or("-".to_owned())).collect();
            format!("+{seconds} {} {what} {}", entry.attempt, rest.join(" "))
        };
        history(row).into_iter().map(line).collect()
    }

    #[test]
    fn every_attempt_is_in_it_and_what_became_of_it() {
        let second = sent(&owed(&execution(Delivery::Topic), 10), 12);
        let third = sent(&reported(&second, 15, "FAILED"), 15);
        let lines = lines(&third.observe(at(60)));
        let expected = [
            "+0 1 CREATED - - ada -",
            "+0 1 SENT - - command-api topic",
            "+10 1 CREATED NO_RESPONSE - reconcile-commands -",
            "+12 2 SENT - - reconcile-commands topic",
            "+15 2 CREATED FAILED NO_POWER device -",
            "+15 3 SENT - - reconcile-commands topic",
            "+60 3 TIMED_OUT NO_RESPONSE - - -",
        ];
        assert_eq!(lines, expected, "and a deadline is nobody's doing");
    }

    #[test]
    fn a_sending_whose_answer_was_faster_than_its_proof_is_told_at_its_time() {
        let queued = execution(Delivery::Direct);
        let queued = queued.apply(&queued.queued(at(1), By::function("command-api"))).expect("news");
        let claimed = queued.apply(&queued.claim(at(5), "me").expect("to be sent")).expect("news");
        let expected = [
            "+0 1 CREATED - - ada -",
            "+1 1 QUEUED - - command-api direct",
            "+5 1 SENT - - - direct",
            "+6 1 DELIVERED - - device -",
            "+6 1 FAILED NO_POWER - device mqtt",
        ];
        let mut alone = claimed.clone();
        alone.retry = None;
        assert_eq!(lines(&reported(&alone, 6, "FAILED")), expected);
    }

    #[test]
    fn whoever_called_it_off_is_named_and_a_late_word_stands_after_it() {
        let queued = execution(Delivery::Direct);
        let queued = queued.apply(&queued.queued(at(1), By::function("command-api"))).expect("news");
        let cancel = queued.cancel(Reason::CanceledByOperator, at(2), false, By::caller("bob")).expect("open");
        let canceled = queued.apply(&cancel).expect("news");
        let late = reported(&canceled, 9, "FAILED");
        let expected = [
            "+0 1 CREATED - - ada -",
            "+1 1 QUEUED - - command-api direct",
            "+2 1 CANCELED CANCELED_BY_OPERATOR - bob -",
        ];
        assert_eq!(lines(&canceled), expected, "it has not gone out");
        assert_eq!(lines(&late).last().map(String::as_str), Some("+9 1 FAILED NO_POWER - device mqtt"));
    }
}
