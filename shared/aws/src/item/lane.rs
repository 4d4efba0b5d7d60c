//! The item of a lane: `T#<thing>`, `L#<lane>`. `ids` is the queue, the head first; `settling`, `settling_as_of` and
//! `settling_until` are the claim of the function that settles it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ExecutionId, LaneClaim, LaneName, LaneQueue, ThingName};

use super::attributes::{Item, Reader, Unreadable, needed, text};
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
    let read = Reader(item);
    let settler = match read.text("settling")? {
        Some(token) => {
            let until = needed("settling_until", read.millis("settling_until")?)?;
            let as_of = needed("settling_as_of", read.millis("settling_as_of")?)?;
            Some(LaneClaim { token: token.to_owned(), as_of, until })
        }
        None => None,
    };
    Ok(LaneQueue { ids: ids.iter().map(id).collect::<Result<_, _>>()?, settler })
}
