//! A command as the API shows it, and the answer to its creation.

use std::borrow::Cow;

use domain::{
    Command, Definition, Execution, FleetState, GroupName, RawPayload, RequestTopic, SHADOW_CUT_SECONDS, Target,
    Timestamp, seconds_in_shadow,
};
use runtime::audit_view::AuditView;
use runtime::command_progress::counts_of_one_thing;
use runtime::time_format;
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use super::{execution::ExecutionView, parts};

/// A command with its state and its counts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandView<'a> {
    command_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
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
    history: Vec<AuditView>,
}

/// The answer to the creation of a command for one thing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedView<'a> {
    command_id: &'a str,
    state: &'static str,
    counts: Value,
    execution: ExecutionView,
    notes: Vec<String>,
}

impl<'a> CommandView<'a> {
    /// A command for one thing, with its one execution.
    pub fn of_one_thing(command: &'a Command, execution: &Execution) -> Self {
        let mut view = Self::new(command, FleetState::of_one_thing(execution), counts_of_one_thing(execution));
        view.history.extend(execution.operators_cancel().as_ref().map(AuditView::of));
        view
    }

    pub fn new(command: &'a Command, state: FleetState, counts: Value) -> Self {
        let definition = &command.definition;
        Self {
            command_id: command.id.as_str(),
            name: definition.name.as_str(),
            payload: shown_payload(definition),
            format: definition.form.raw.as_ref().map(|_| "raw"),
            content_type: definition.form.raw.as_ref().map(RawPayload::content_type),
            topic: definition.form.topic.as_ref().map(RequestTopic::as_str),
            target: target(&definition.target),
            delivery: definition.delivery.as_str(),
            shadow: definition.shadow.as_ref().map(ToString::to_string),
            ttl: definition.deadlines.ttl_seconds(),
            timeout: definition.deadlines.timeout_seconds(),
            heartbeat: definition.deadlines.heartbeat_seconds(),
            retry: definition.retry.as_ref().map(parts::retry),
            lane: definition.lane.as_ref().map(parts::lane),
            supersede: definition.supersede,
            created_at: time_format::show(command.created_at),
            created_by: command.created_by.as_str(),
            state: state.as_str(),
            counts,
            history: AuditView::all(command),
        }
    }
}

impl<'a> CreatedView<'a> {
    pub fn new(command: &'a Command, execution: &Execution, notes: Vec<String>, now: Timestamp) -> Self {
        Self {
            command_id: command.id.as_str(),
            state: FleetState::of_one_thing(execution).as_str(),
            counts: counts_of_one_thing(execution),
            execution: ExecutionView::new(execution, now, false),
            notes: execution.channel.shadow().map(|_| shadow_note(command)).into_iter().chain(notes).collect(),
        }
    }
}

/// The payload as the caller gave it: JSON, or the base64 of a raw request.
fn shown_payload(definition: &Definition) -> Option<Cow<'_, RawValue>> {
    match &definition.form.raw {
        None => definition.payload.as_ref().map(|payload| Cow::Borrowed(payload.as_json())),
        Some(raw) => to_raw_value(&raw.to_base64()).ok().map(Cow::Owned),
    }
}

/// What the operator has to know of a command in a shadow.
pub fn shadow_note(command: &Command) -> String {
    let left = seconds_in_shadow(command.definition.deadlines.ttl_seconds());
    format!(
        "a request in a shadow is removed {SHADOW_CUT_SECONDS} seconds before its ttl ends: its device has to start \
         within {left} seconds"
    )
}

/// The names that a fleet command lists are not shown: they are those of its executions.
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
