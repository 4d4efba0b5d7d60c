//! The item of a lane: `T#<thing>`, `L#<lane>`. `ids` is the queue, the head first.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ExecutionId, LaneName, LaneQueue, ThingName};

use super::attributes::{Item, Unreadable, text};
use super::key::thing_key;

pub(crate) fn lane_key(thing: &ThingName, lane: &LaneName) -> Item {
    Item::from([("pk".into(), thing_key(thing)), ("sk".into(), text(format!("L#{}", lane.as_str())))])
}

pub(crate) fn lane_from_item(item: &Item) -> Result<LaneQueue, Unreadable> {
    let Some(AttributeValue::L(ids)) = item.get("ids") else { return Ok(LaneQueue::default()) };
    let id = |value: &AttributeValue| match value {
        AttributeValue::S(id) => ExecutionId::parse(id).map_err(|error| Unreadable::because("ids", error)),
        _ => Err(Unreadable::new("ids")),
    };
    Ok(LaneQueue { ids: ids.iter().map(id).collect::<Result<_, _>>()? })
}
