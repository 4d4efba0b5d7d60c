//! The item of a command: `C#<command id>`, `META`.

use domain::{
    Actor, Command, CommandName, Deadlines, Definition, Delivery, Fingerprint, Lane, LaneName, OnFailure, Payload,
    RawPayload, RequestForm, RequestTopic, Retry, ShadowRoute, Timestamp,
};

use super::attributes::{Item, Reader, Unreadable, millis, needed, number, put_flag, text};
use super::control::{audit_from_item, control_attributes, control_from_item};
use super::key::{command_key, command_of_key};
use super::target::{put_target, target_from_item};

pub(crate) fn command_to_item(command: &Command) -> Item {
    let Definition { name, payload, form, target, delivery, shadow, deadlines, retry, lane, supersede } =
        &command.definition;
    let mut item = command_key(&command.id);
    let mut put = |attribute: &str, value| item.insert(attribute.to_owned(), value);
    put("name", text(name.as_str()));
    put("delivery", text(delivery.as_str()));
    put("ttl_seconds", number(deadlines.ttl_seconds()));
    put("timeout_seconds", number(deadlines.timeout_seconds()));
    put("created_at", millis(command.created_at));
    put("created_by", text(command.created_by.as_str()));
    put("fingerprint", text(command.fingerprint.as_str()));
    put("purge_at", number(command.purge_at().as_seconds()));
    if let Some(heartbeat) = deadlines.heartbeat_seconds() {
        put("heartbeat_seconds", number(heartbeat));
    }
    if let Some(shadow) = shadow {
        put("shadow", text(shadow.to_string()));
    }
    if let Some(retry) = retry {
        put("retry", text(retry.to_stored()));
    }
    if let Some(lane) = lane {
        put("lane", text(lane.name.as_str()));
        put("on_failure", text(lane.on_failure.as_str()));
    }
    if let Some(payload) = payload {
        put("payload", text(payload.as_json().get()));
    }
    if let Some(raw) = &form.raw {
        put("raw_payload", text(raw.to_base64()));
        put("content_type", text(raw.content_type()));
    }
    if let Some(topic) = &form.topic {
        put("request_topic", text(topic.as_str()));
    }
    put_flag(&mut item, "supersede", *supersede);
    put_target(&mut item, target);
    for (attribute, value) in control_attributes(&command.control) {
        item.insert(attribute.to_owned(), value);
    }
    item
}

pub(crate) fn command_from_item(item: &Item) -> Result<Command, Unreadable> {
    let read = Reader(item);
    let seconds = |attribute| read.number::<i64>(attribute);
    let deadlines = Deadlines::new(seconds("ttl_seconds")?, seconds("timeout_seconds")?, seconds("heartbeat_seconds")?)
        .map_err(|error| Unreadable::because(error.field(), error))?;
    Ok(Command {
        id: command_of_key(item)?,
        definition: Definition {
            name: read.parsed("name", CommandName::parse)?,
            payload: read.parsed_if_exists("payload", Payload::parse)?,
            form: RequestForm {
                raw: raw_payload_of(&read)?,
                topic: read.parsed_if_exists("request_topic", RequestTopic::parse)?,
            },
            target: target_from_item(item)?,
            delivery: read.parsed("delivery", Delivery::parse)?,
            shadow: read.parsed_if_exists("shadow", ShadowRoute::parse)?,
            deadlines,
            retry: read.text("retry")?.map(|text| needed("retry", Retry::from_stored(text))).transpose()?,
            lane: lane_of(&read)?,
            supersede: read.flag("supersede"),
        },
        created_by: Actor::caller(needed("created_by", read.text("created_by")?)?),
        created_at: needed::<Timestamp>("created_at", read.millis("created_at")?)?,
        fingerprint: Fingerprint::from_stored(needed("fingerprint", read.text("fingerprint")?)?),
        control: control_from_item(item)?,
        audit: audit_from_item(item)?,
    })
}

fn raw_payload_of(read: &Reader<'_>) -> Result<Option<RawPayload>, Unreadable> {
    let content_type = read.text("content_type")?;
    read.parsed_if_exists("raw_payload", |base64| RawPayload::parse(base64, content_type))
}

/// The lane in the attributes `lane` and `on_failure`, of a command or an execution.
pub(super) fn lane_of(read: &Reader<'_>) -> Result<Option<Lane>, Unreadable> {
    let Some(name) = read.text("lane")? else { return Ok(None) };
    let on_failure = needed("on_failure", read.text("on_failure")?.and_then(OnFailure::parse))?;
    Ok(Some(Lane { name: LaneName::from_stored(name), on_failure }))
}
