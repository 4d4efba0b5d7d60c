//! Builds the conditional write of a change: its condition and its effect decide in the table what
//! `domain::Execution::apply` decides on a row in memory. `tests/table_condition` compares the two.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AttemptEnd, Change, Claim, Condition, DueEntry, DueShards, Effect, Outcome, Reroute, Status, Verdict};

use crate::{
    item::{due_entry, millis, number, text},
    update::Update,
};

/// What a report adds to its time for the heartbeat deadline of an execution without heartbeats, in milliseconds: some
/// 30,000 years.
const FOREVER_MILLIS: i64 = 1_000_000_000_000_000;

/// The conditional write of a change.
pub(crate) fn update_for(change: &Change, shards: DueShards) -> Update {
    let mut update = Update::default();
    update.if_exists("pk");
    put_condition(&mut update, change);
    update.set("progress", number(change.progress.get()));
    update.set("status", text(change.status.as_str()));
    if let Some(delivery) = change.delivery_status {
        update.set("delivery_status", text(delivery.as_str()));
    }
    put_effect(&mut update, &change.effect);
    if change.clears_sent_at() {
        update.remove("sent_at");
    }
    if let Some(entry) = &change.history_entry {
        update.append("history", text(entry.to_stored()));
    }
    match change.due {
        DueEntry::Keep => {}
        DueEntry::Remove => {
            update.remove("due_shard");
            update.remove("due_at");
        }
        DueEntry::At(at) => {
            for (attribute, value) in due_entry(&change.key.id, at, shards) {
                update.set(attribute, value);
            }
        }
    }
    update
}

fn put_condition(update: &mut Update, change: &Change) {
    match change.condition {
        Condition::Monotonic { attempt } => {
            update.if_compares("progress", "<", number(change.progress.get()));
            update.if_compares("attempt", ">=", number(attempt));
        }
        Condition::Unchanged(snapshot) => {
            update.if_compares("progress", "=", number(snapshot.progress.get()));
            update.if_equals("due_at", snapshot.due_at.map(number));
            update.if_equals("last_active_at", snapshot.last_active_at.map(millis));
        }
        Condition::Running { attempt } => {
            update.if_compares("attempt", "=", number(attempt));
            update.if_compares("progress", "<=", number(change.progress.get()));
            update.if_compares("status", "=", text(Status::InProgress.as_str()));
        }
    }
    match &change.effect {
        Effect::Finished { .. } | Effect::EndedByLastFailure(_) => update.if_absent("finished_at"),
        Effect::DeviceActive { at, .. } => {
            if let Condition::Running { .. } = change.condition {
                update.if_compares("last_active_at", "<", millis(*at));
            }
            update.if_compares("finish_by", ">", millis(*at));
            update.if_exists_or_compares("started_at", "start_by", ">", millis(*at));
            update.if_absent_or_compares("heartbeat_deadline", ">", millis(*at));
        }
        _ => {}
    }
}

fn put_effect(update: &mut Update, effect: &Effect) {
    match effect {
        Effect::Nothing => {}
        Effect::Claimed(claim) => put_claim(update, claim),
        Effect::Doubted { next_send_at } => update.set("next_send_at", millis(*next_send_at)),
        Effect::Sent | Effect::Queued | Effect::WaitsInLane => update.remove("next_send_at"),
        Effect::Rerouted(reroute) => put_reroute(update, reroute),
        Effect::SendFailed { next_send_at, refused } => {
            update.set("next_send_at", millis(*next_send_at));
            if *refused {
                update.remove("sent_at");
            }
        }
        Effect::Delivered(at) => {
            update.set("delivered_at", millis(*at));
            update.remove("next_send_at");
        }
        Effect::DeviceActive { at, earlier, interim } => {
            update.set_once("delivered_at", millis(*at));
            update.set_once("started_at", millis(*at));
            update.set("last_active_at", millis(*at));
            match earlier {
                Some(attempt) => update.set("runs_attempt", number(attempt)),
                None => update.remove("runs_attempt"),
            }
            if let Some(interim) = interim {
                update.set("interim", text(interim.to_stored()));
            }
            // The writer has not read the row, and does not know how long this device may be silent.
            update.set_sum("heartbeat_deadline", millis(*at), "silence_millis", number(FOREVER_MILLIS));
        }
        Effect::Finished { outcome, shadow_cleaned, missed } => {
            update.set_once("delivered_at", millis(outcome.at));
            put_outcome(update, outcome);
            put_last_failure(update, None);
            missed.iter().for_each(|verdict| put_verdict(update, verdict));
            if *shadow_cleaned {
                update.remove("shadow_cleanup_pending");
            }
        }
        Effect::EndedByLastFailure(outcome) => {
            put_outcome(update, outcome);
            put_last_failure(update, None);
        }
        Effect::StopConfirmed(at) => update.set("stopped_at", millis(*at)),
        Effect::CloudVerdict(verdict) => put_verdict(update, verdict),
        Effect::LastVerdict(verdict) => {
            put_verdict(update, verdict);
            update.remove("in_lane");
            update.remove("shadow_cleanup_pending");
        }
        Effect::RetryScheduled { attempt, next_send_at, failed } => {
            update.set("attempt", number(attempt));
            update.set("next_send_at", millis(*next_send_at));
            for attribute in OF_ONE_ATTEMPT {
                update.remove(attribute);
            }
            put_last_failure(update, failed.as_deref());
        }
        Effect::CleanedUp => {
            update.remove("in_lane");
            update.remove("shadow_cleanup_pending");
        }
    }
}

/// The attributes that a new attempt does not take over from the one before it.
const OF_ONE_ATTEMPT: [&str; 7] = [
    "maybe_delivered",
    "sent_at",
    "delivered_at",
    "started_at",
    "last_active_at",
    "runs_attempt",
    "heartbeat_deadline",
];

/// The attributes of the end that the device reported of the attempt before.
const OF_LAST_FAILURE: [&str; 8] = [
    "failed_status",
    "failed_at",
    "failed_channel",
    "failed_attempt",
    "failed_code",
    "failed_description",
    "failed_result",
    "failed_result_truncated",
];

fn put_last_failure(update: &mut Update, failed: Option<&AttemptEnd>) {
    for attribute in OF_LAST_FAILURE {
        update.remove(attribute);
    }
    let Some(AttemptEnd { status, outcome }) = failed else { return };
    let mut put = |attribute, value| {
        update.unremove(attribute);
        update.set(attribute, value);
    };
    put("failed_status", text(status.as_str()));
    put("failed_at", millis(outcome.at));
    put("failed_channel", text(outcome.channel.as_str()));
    put("failed_attempt", number(outcome.attempt));
    if let Some(code) = &outcome.code {
        put("failed_code", text(code.as_str()));
    }
    if let Some(description) = &outcome.description {
        put("failed_description", text(description));
    }
    if let Some(result) = &outcome.result {
        put("failed_result", text(&result.text));
        if result.truncated {
            put("failed_result_truncated", AttributeValue::Bool(true));
        }
    }
}

fn put_claim(update: &mut Update, claim: &Claim) {
    update.set("sent_at", millis(claim.at));
    update.set("next_send_at", millis(claim.next_send_at));
    update.set("claim", text(&claim.token));
    if claim.maybe_delivered {
        update.set("maybe_delivered", AttributeValue::Bool(true));
    }
    if claim.channel.shadow().is_some() {
        update.set("shadow_cleanup_pending", AttributeValue::Bool(true));
    }
}

fn put_reroute(update: &mut Update, reroute: &Reroute) {
    update.set("channel", text(reroute.channel.to_string()));
    update.set("start_by", millis(reroute.start_by));
    update.set("next_send_at", millis(reroute.next_send_at));
    update.remove("sent_at");
    if let Some(lane) = &reroute.lane {
        update.set("in_lane", AttributeValue::Bool(true));
        update.set("lane", text(lane.name.as_str()));
        update.set("on_failure", text(lane.on_failure.as_str()));
    }
}

fn put_verdict(update: &mut Update, verdict: &Verdict) {
    update.set("verdict", text(verdict.reason.as_str()));
    update.set("verdict_at", millis(verdict.at));
}

fn put_outcome(update: &mut Update, outcome: &Outcome) {
    update.set("finished_at", millis(outcome.at));
    update.set("finished_channel", text(outcome.channel.as_str()));
    update.set("finished_attempt", number(outcome.attempt));
    if let Some(code) = &outcome.code {
        update.set("reason_code", text(code.as_str()));
    }
    if let Some(description) = &outcome.description {
        update.set("reason_description", text(description));
    }
    if let Some(result) = &outcome.result {
        update.set("result", text(&result.text));
        if result.truncated {
            update.set("result_truncated", AttributeValue::Bool(true));
        }
    }
}

#[cfg(test)]
mod tests;
