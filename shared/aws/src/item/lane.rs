//! A lane's item: `T#<thing>`, `L#<lane>`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ExecutionId, LaneName, Queue, ThingName};

use super::{Item, Unreadable, text, thing_key};

pub(crate) fn lane_key(thing: &ThingName, lane: &LaneName) -> Item {
    Item::from([("pk".into(), thing_key(thing)), ("sk".into(), text(format!("L#{}", lane.as_str())))])
}

pub(crate) fn lane_from_item(item: &Item) -> Result<Queue, Unreadable> {
    let Some(AttributeValue::L(ids)) = item.get("ids") else { return Ok(Queue::default()) };
    let id = |value: &AttributeValue| match value {
        AttributeValue::S(id) => {
            ExecutionId::parse(id).map_err(|error| Unreadable { attribute: "ids", source: Some(error.into()) })
        }
        _ => Err(Unreadable { attribute: "ids", source: None }),
    };
    Ok(Queue { ids: ids.iter().map(id).collect::<Result<_, _>>()? })
}
