//! A change as one conditional write: the condition decides what `domain::Execution::apply` decides.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Change, Claim, DueEntry, Fact, Guard, Outcome, Reroute, Status};

use crate::{
    item::{due_entry, millis, number, text},
    update::Update,
};

/// Where nobody waits for heartbeats, a device falls silent after the end of time: in milliseconds.
const FOREVER: i64 = 1_000_000_000_000_000;

/// The change as one conditional write.
pub(crate) fn update_for(change: &Change) -> Update {
    let mut update = Update::default();
    update.if_exists("pk");
    guard(&mut update, change);
    update.set("progress", number(change.progress.get()));
    update.set("status", text(change.status.as_str()));
    if let Some(delivery) = change.delivery_status {
        update.set("delivery_status", text(delivery.as_str()));
    }
    fact(&mut update, &change.fact);
    if change.takes_back() {
        update.remove("sent_at");
    }
    if let Some(step) = &change.step {
        update.append("steps", text(step.to_stored()));
    }
    match change.due {
        DueEntry::Keep => {}
        DueEntry::Remove => {
            update.remove("due_shard");
            update.remove("due_at");
        }
        DueEntry::At(at) => {
            for (attribute, value) in due_entry(&change.key.id, at) {
                update.set(attribute, value);
            }
        }
    }
    update
}

fn guard(update: &mut Update, change: &Change) {
    match change.guard {
        Guard::Grows { attempt } => {
            update.if_compares("progress", "<", number(change.progress.get()));
            update.if_compares("attempt", ">=", number(attempt));
        }
        Guard::Seen(seen) => {
            update.if_compares("progress", "=", number(seen.progress.get()));
            update.if_still("due_at", seen.due_at.map(number));
            update.if_still("heard_at", seen.heard_at.map(millis));
        }
        Guard::Runs { attempt } => {
            update.if_compares("attempt", "=", number(attempt));
            update.if_compares("progress", "<=", number(change.progress.get()));
            update.if_compares("status", "=", text(Status::InProgress.as_str()));
        }
    }
    match change.fact {
        Fact::Finished { .. } => update.if_absent("finished_at"),
        Fact::Heard(at, _) => {
            if let Guard::Runs { .. } = change.guard {
                update.if_compares("heard_at", "<", millis(at));
            }
            update.if_compares("finish_by", ">", millis(at));
            update.if_exists_or_compares("started_at", "start_by", ">", millis(at));
            update.if_absent_or_compares("silent_at", ">", millis(at));
        }
        _ => {}
    }
}

fn fact(update: &mut Update, fact: &Fact) {
    match fact {
        Fact::Nothing => {}
        Fact::Claimed(claim) => claimed(update, claim),
        Fact::Sent | Fact::Queued | Fact::Waits => update.remove("send_at"),
        Fact::Rerouted(route) => rerouted(update, route),
        Fact::Unsent { send_at, refused } => {
            update.set("send_at", millis(*send_at));
            if *refused {
                update.remove("sent_at");
            }
        }
        Fact::Delivered(at) => {
            update.set("delivered_at", millis(*at));
            update.remove("send_at");
        }
        Fact::Heard(at, path) => {
            update.set_once("delivered_at", millis(*at));
            update.set_once("started_at", millis(*at));
            update.set_once("started_via", text(path.as_str()));
            update.set("heard_at", millis(*at));
            update.set_later("silent_at", "silence", millis(*at), number(FOREVER));
        }
        Fact::Finished { outcome, withdrawn } => {
            finished(update, outcome);
            if *withdrawn {
                update.remove("withdraw");
            }
        }
        Fact::GaveUp(verdict) => {
            update.set("verdict", text(verdict.reason.as_str()));
            update.set("verdict_at", millis(verdict.at));
        }
        Fact::Again { attempt, send_at } => {
            update.set("attempt", number(attempt));
            update.set("send_at", millis(*send_at));
            for left in ["unsure", "sent_at", "delivered_at", "started_at", "started_via", "heard_at", "silent_at"] {
                update.remove(left);
            }
        }
        Fact::Cleared => {
            update.remove("in_lane");
            update.remove("withdraw");
        }
    }
}

fn claimed(update: &mut Update, claim: &Claim) {
    update.set("sent_at", millis(claim.at));
    update.set("send_at", millis(claim.send_at));
    update.set("claim", text(&claim.token));
    if claim.unsure {
        update.set("unsure", AttributeValue::Bool(true));
    }
    if claim.via.shadow().is_some() {
        update.set("withdraw", AttributeValue::Bool(true));
    }
}

fn rerouted(update: &mut Update, route: &Reroute) {
    update.set("via", text(route.via.to_string()));
    update.set("start_by", millis(route.start_by));
    update.set("send_at", millis(route.send_at));
    update.remove("sent_at");
    if let Some(lane) = &route.lane {
        update.set("in_lane", AttributeValue::Bool(true));
        update.set("lane", text(lane.name.as_str()));
        update.set("on_failure", text(lane.on_failure.as_str()));
    }
}

fn finished(update: &mut Update, outcome: &Outcome) {
    update.set_once("delivered_at", millis(outcome.at));
    update.set("finished_at", millis(outcome.at));
    update.set("finished_via", text(outcome.path.as_str()));
    update.set("finished_attempt", number(outcome.attempt));
    if let Some(code) = &outcome.code {
        update.set("reason", text(code.as_str()));
    }
    if let Some(description) = &outcome.description {
        update.set("description", text(description));
    }
    if let Some(result) = &outcome.result {
        update.set("result", text(&result.text));
        if result.cut {
            update.set("result_cut", AttributeValue::Bool(true));
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        Command, CommandName, Control, Deadlines, Definition, Delivery, Execution, Fingerprint, Owed, Report, Target,
        ThingName, Timestamp, Via,
    };

    use super::*;

    fn execution() -> Execution {
        let at = Timestamp::from_seconds(1_700_000_000);
        let thing = ThingName::parse("pump-7").unwrap();
        let command = Command {
            id: domain::CommandId::from_request(at, "request"),
            definition: Definition {
                name: CommandName::parse("reboot").unwrap(),
                payload: None,
                target: Target::Thing(thing.clone()),
                delivery: Delivery::Auto,
                shadow: None,
                deadlines: Deadlines::new(None, None, None).unwrap(),
                retry: None,
                lane: None,
                supersede: false,
            },
            created_at: at,
            created_by: domain::By::caller("operator"),
            fingerprint: Fingerprint::from_stored("fingerprint"),
            control: Control::default(),
        };
        Execution::create(&command, &thing, Via::Direct, 60)
    }

    fn reported(payload: &str) -> Update {
        let execution = execution();
        let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
        update_for(&report.change(execution.key, Timestamp::from_seconds(1_700_000_001)))
    }

    #[test]
    fn a_report_never_makes_a_row_and_never_goes_back() {
        let update = reported("RUNNING");
        assert_eq!(
            update.condition(),
            "attribute_exists(#pk) AND #progress < :v0 AND #attempt >= :v1 AND #finish_by > :v2 \
             AND (attribute_exists(#started_at) OR #start_by > :v3) \
             AND (attribute_not_exists(#silent_at) OR #silent_at > :v4)"
        );
        assert_eq!(
            reported("SUCCEEDED").condition(),
            "attribute_exists(#pk) AND #progress < :v0 AND #attempt >= :v1 AND attribute_not_exists(#finished_at)"
        );
        assert!(!update.expression().contains("REMOVE"), "{}", update.expression());
    }

    #[test]
    fn what_has_ended_is_not_due_any_more() {
        let update = reported("SUCCEEDED");
        assert!(update.expression().contains("#due_shard, #due_at"), "{}", update.expression());
    }

    #[test]
    fn a_reconciler_writes_only_what_it_has_seen() {
        let execution = execution();
        let Owed::Change(change) = execution.owed(execution.start_by) else { panic!("not due") };
        let condition = update_for(&change).condition();
        assert!(
            condition.ends_with("#progress = :v0 AND #due_at = :v1 AND attribute_not_exists(#heard_at)"),
            "{condition}"
        );
    }
}
