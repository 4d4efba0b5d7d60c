//! Commands and executions as the API shows them.

use domain::{Command, Execution, GroupName, Key, Lane, Retry, Status, Target, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::history::{self, Entry};
use crate::time;

/// A command with what has become of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandView<'a> {
    command_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    target: Value,
    delivery: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<String>,
    ttl: u32,
    timeout: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    supersede: bool,
    created_at: String,
    created_by: &'a str,
    state: &'static str,
    counts: Value,
}

/// What a command's creation answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created<'a> {
    command_id: &'a str,
    state: &'static str,
    counts: Map<String, Value>,
    execution: ExecutionView,
}

/// One command at one thing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionView {
    command_id: String,
    execution_id: String,
    thing: String,
    name: String,
    status: &'static str,
    delivery_status: &'static str,
    reason: Option<String>,
    reason_description: Option<String>,
    attempt: u16,
    via: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<Value>,
    late: bool,
    result: Option<Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    result_cut: bool,
    created_at: String,
    created_by: String,
    deadline: String,
    finish_by: String,
    next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    history: Vec<Entry>,
}

impl<'a> CommandView<'a> {
    /// A command for one thing.
    pub fn of_one(command: &'a Command, execution: &Execution) -> Self {
        Self::new(command, state(execution), counts(execution).into())
    }

    /// A command that stands so.
    pub fn new(command: &'a Command, state: &'static str, counts: Value) -> Self {
        let definition = &command.definition;
        Self {
            command_id: command.id.as_str(),
            name: definition.name.as_str(),
            payload: definition.payload.as_ref().map(|payload| payload.as_json()),
            target: target(&definition.target),
            delivery: definition.delivery.as_str(),
            shadow: definition.shadow.as_ref().map(ToString::to_string),
            ttl: definition.deadlines.ttl(),
            timeout: definition.deadlines.timeout(),
            heartbeat: definition.deadlines.heartbeat(),
            retry: definition.retry.as_ref().map(retry),
            lane: definition.lane.as_ref().map(lane),
            supersede: definition.supersede,
            created_at: time::show(command.created_at),
            created_by: command.created_by.as_str(),
            state,
            counts,
        }
    }
}

impl<'a> Created<'a> {
    pub fn new(command: &'a Command, execution: &Execution, now: Timestamp) -> Self {
        Self {
            command_id: command.id.as_str(),
            state: state(execution),
            counts: counts(execution),
            execution: ExecutionView::new(execution, now, false),
        }
    }
}

/// Whom it means. The names that are listed are those of its executions.
fn target(target: &Target) -> Value {
    let selection = match target {
        Target::Thing(thing) => return json!({"things": [thing.as_str()]}),
        Target::Fleet(fleet) => &fleet.selection,
    };
    let mut shown = Map::new();
    if selection.listed > 0 {
        shown.insert("listed".to_owned(), json!(selection.listed));
    }
    if !selection.groups.is_empty() {
        let groups: Vec<&str> = selection.groups.iter().map(GroupName::as_str).collect();
        shown.insert("groups".to_owned(), json!(groups));
    }
    if let Some(query) = &selection.query {
        shown.insert("query".to_owned(), json!(query.as_str()));
    }
    if selection.excluded > 0 {
        shown.insert("excluded".to_owned(), json!(selection.excluded));
    }
    Value::Object(shown)
}

fn retry(retry: &Retry) -> Value {
    let (base, cap) = retry.backoff();
    let on: Vec<&str> = retry.on().map(domain::Failure::as_str).collect();
    json!({"attempts": retry.attempts(), "on": on, "wait": retry.wait(), "backoff": {"base": base, "cap": cap}})
}

fn lane(lane: &Lane) -> Value {
    json!({"name": lane.name.as_str(), "onFailure": lane.on_failure.as_str()})
}

fn state(execution: &Execution) -> &'static str {
    if execution.is_terminal() { "COMPLETED" } else { "IN_PROGRESS" }
}

fn counts(execution: &Execution) -> Map<String, Value> {
    let mut counts = Map::from_iter([("total".to_owned(), json!(1))]);
    counts.extend(Status::ALL.iter().map(|status| (status.to_string(), json!(u32::from(*status == execution.status)))));
    counts
}

impl ExecutionView {
    /// The execution as it is at this time, with why it is so where someone wants to know.
    pub fn new(execution: &Execution, now: Timestamp, explain: bool) -> Self {
        let execution = &execution.observe(now);
        let explanation = execution.explain(now);
        let Key { thing, id } = &execution.key;
        let outcome = execution.outcome.as_ref();
        // The device's own word stands instead of the cloud's guess, also where it gives no reason.
        let reason = match (outcome, execution.verdict) {
            (Some(outcome), _) => outcome.code.as_ref().map(ToString::to_string),
            (None, verdict) => verdict.map(|verdict| verdict.reason.to_string()),
        };
        let result = outcome.and_then(|outcome| outcome.result.as_ref());
        Self {
            command_id: execution.command.to_string(),
            execution_id: id.to_string(),
            thing: thing.to_string(),
            name: execution.name.to_string(),
            status: execution.status.as_str(),
            delivery_status: execution.delivery_status.as_str(),
            reason,
            reason_description: outcome.and_then(|outcome| outcome.description.clone()),
            attempt: execution.attempt,
            via: execution.via.to_string(),
            retry: execution.retry.as_ref().map(retry),
            lane: execution.lane.as_ref().map(lane),
            late: execution.is_late(),
            // What was cut is no JSON any more, only text; so is what nests deeper than a tree may.
            result: result.map(|result| match serde_json::from_str(&result.text) {
                Ok(value) if !result.cut => value,
                _ => Value::String(result.text.clone()),
            }),
            result_cut: result.is_some_and(|result| result.cut),
            created_at: time::show(execution.created_at),
            created_by: execution.created_by.to_string(),
            deadline: time::show(execution.start_by),
            finish_by: time::show(execution.finish_by),
            next_at: explanation.next.as_ref().map(|next| time::show(next.at)),
            explanation: explain.then(|| explanation.text(time::show)),
            history: history::history(execution),
        }
    }
}
