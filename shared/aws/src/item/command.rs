//! A command's META item: `C#<command id>`, `META`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    By, Command, CommandId, CommandName, Deadlines, Definition, Delivery, Fingerprint, Lane, LaneName, OnFailure,
    Payload, Retry, ShadowRoute, Timestamp,
};

use super::{
    Item, Reader, Unreadable, after_prefix,
    fleet::{control_attributes, put_target, read_control, read_target},
    millis, needed, number, text,
};

pub(crate) fn command_key(id: &CommandId) -> Item {
    Item::from([("pk".into(), text(format!("C#{id}"))), ("sk".into(), text("META"))])
}

pub(crate) fn command_to_item(command: &Command) -> Item {
    let Definition { name, payload, target, delivery, shadow, deadlines, retry, lane, supersede } = &command.definition;
    let mut item = command_key(&command.id);
    let mut put = |attribute: &str, value| item.insert(attribute.to_owned(), value);
    put("name", text(name.as_str()));
    put("delivery", text(delivery.as_str()));
    put("ttl", number(deadlines.ttl()));
    put("timeout", number(deadlines.timeout()));
    put("created_at", millis(command.created_at));
    put("created_by", text(command.created_by.as_str()));
    put("fingerprint", text(command.fingerprint.as_str()));
    put("purge_at", number(command.purge_at().as_seconds()));
    if let Some(heartbeat) = deadlines.heartbeat() {
        put("heartbeat", number(heartbeat));
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
    if *supersede {
        put("supersede", AttributeValue::Bool(true));
    }
    if let Some(payload) = payload {
        put("payload", text(payload.as_json().get()));
    }
    put_target(&mut item, target);
    for (attribute, value) in control_attributes(&command.control) {
        item.insert(attribute.to_owned(), value);
    }
    item
}

pub(crate) fn command_from_item(item: &Item) -> Result<Command, Unreadable> {
    let read = Reader(item);
    let id = after_prefix("pk", "C#", read.text("pk")?)?;
    let seconds = |attribute| read.number::<i64>(attribute);
    let deadlines = Deadlines::new(seconds("ttl")?, seconds("timeout")?, seconds("heartbeat")?)
        .map_err(|error| Unreadable { attribute: error.field(), source: Some(error.into()) })?;
    let payload = match read.text("payload")? {
        None => None,
        Some(_) => Some(read.parsed("payload", Payload::parse)?),
    };
    Ok(Command {
        id: CommandId::parse(id).map_err(|error| Unreadable { attribute: "pk", source: Some(error.into()) })?,
        definition: Definition {
            name: read.parsed("name", CommandName::parse)?,
            payload,
            target: read_target(item)?,
            delivery: read.parsed("delivery", Delivery::parse)?,
            shadow: match read.text("shadow")? {
                None => None,
                Some(_) => Some(read.parsed("shadow", ShadowRoute::parse)?),
            },
            deadlines,
            retry: read.text("retry")?.map(|text| needed("retry", Retry::from_stored(text))).transpose()?,
            lane: match read.text("lane")? {
                None => None,
                Some(name) => Some(Lane {
                    name: LaneName::from_stored(name),
                    on_failure: needed("on_failure", read.text("on_failure")?.and_then(OnFailure::parse))?,
                }),
            },
            supersede: item.contains_key("supersede"),
        },
        created_by: By::caller(needed("created_by", read.text("created_by")?)?),
        created_at: needed::<Timestamp>("created_at", read.millis("created_at")?)?,
        fingerprint: Fingerprint::from_stored(needed("fingerprint", read.text("fingerprint")?)?),
        control: read_control(item)?,
    })
}
