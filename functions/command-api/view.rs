//! Commands and executions as the API shows them.

use crate::time;
use domain::{Command, Execution, Key, Status, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

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
    ttl: u32,
    timeout: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
    created_at: String,
    state: &'static str,
    counts: Map<String, Value>,
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
    late: bool,
    result: Option<Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    result_cut: bool,
    created_at: String,
    deadline: String,
    finish_by: String,
    history: Vec<Value>,
}

impl<'a> CommandView<'a> {
    pub fn new(command: &'a Command, execution: &Execution) -> Self {
        let definition = &command.definition;
        Self {
            command_id: command.id.as_str(),
            name: definition.name.as_str(),
            payload: definition.payload.as_ref().map(|payload| payload.as_json()),
            target: json!({"things": [definition.thing.as_str()]}),
            delivery: definition.delivery.as_str(),
            ttl: definition.deadlines.ttl(),
            timeout: definition.deadlines.timeout(),
            heartbeat: definition.deadlines.heartbeat(),
            created_at: time::show(command.created_at),
            state: state(execution),
            counts: counts(execution),
        }
    }
}

impl<'a> Created<'a> {
    pub fn new(command: &'a Command, execution: &Execution) -> Self {
        Self {
            command_id: command.id.as_str(),
            state: state(execution),
            counts: counts(execution),
            execution: execution.into(),
        }
    }
}

fn state(execution: &Execution) -> &'static str {
    if execution.is_terminal() { "COMPLETED" } else { "IN_PROGRESS" }
}

fn counts(execution: &Execution) -> Map<String, Value> {
    let mut counts = Map::from_iter([("total".to_owned(), json!(1))]);
    counts.extend(Status::ALL.iter().map(|status| (status.to_string(), json!(u32::from(*status == execution.status)))));
    counts
}

impl From<&Execution> for ExecutionView {
    fn from(execution: &Execution) -> Self {
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
            late: execution.is_late(),
            // What was cut is no JSON any more, only text; so is what nests deeper than a tree may.
            result: result.map(|result| match serde_json::from_str(&result.text) {
                Ok(value) if !result.cut => value,
                _ => Value::String(result.text.clone()),
            }),
            result_cut: result.is_some_and(|result| result.cut),
            created_at: time::show(execution.created_at),
            deadline: time::show(execution.start_by),
            finish_by: time::show(execution.finish_by),
            history: history(execution),
        }
    }
}

/// What happened, in order.
fn history(execution: &Execution) -> Vec<Value> {
    let mut steps: Vec<(Timestamp, Value)> = Vec::new();
    let mut step = |at: Option<Timestamp>, what: Value| steps.extend(at.map(|at| (at, what)));
    step(Some(execution.created_at), json!({"status": "CREATED"}));
    step(execution.delivered_at, json!({"deliveryStatus": "DELIVERED"}));
    step(execution.started_at, json!({"status": "IN_PROGRESS"}));
    if let Some(verdict) = execution.verdict {
        let what = json!({"status": verdict.reason.status().as_str(), "reason": verdict.reason.as_str()});
        step(Some(verdict.at), what);
    }
    if let Some(outcome) = &execution.outcome {
        step(Some(outcome.at), json!({"status": execution.status.as_str()}));
    }
    steps.sort_by_key(|(at, _)| *at);
    let dated = |(at, mut what): (Timestamp, Value)| {
        what["at"] = json!(time::show(at));
        what
    };
    steps.into_iter().map(dated).collect()
}
