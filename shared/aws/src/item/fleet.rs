//! What a command's META item says of its fleet and of its control.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Abort, Broadcast, By, Control, ControlState, Fleet, FleetQuery, GroupName, Reason, Rollout, Schedule, Selection,
    Target, ThingName, Topic,
};

use super::{Item, Reader, Unreadable, millis, needed, number, text};

/// The attributes of a target.
pub(crate) fn put_target(item: &mut Item, target: &Target) {
    let mut put = |attribute: &str, value| item.insert(attribute.to_owned(), value);
    let fleet = match target {
        Target::Thing(thing) => {
            put("thing", text(thing.as_str()));
            return;
        }
        Target::Fleet(fleet) => fleet,
    };
    let Selection { listed, groups, query, excluded, digest } = &fleet.selection;
    put("fleet", AttributeValue::Bool(true));
    put("digest", text(digest));
    for (attribute, names) in [("listed", listed), ("excluded", excluded)] {
        if *names > 0 {
            put(attribute, number(names));
        }
    }
    if !groups.is_empty() {
        let groups: Vec<&str> = groups.iter().map(GroupName::as_str).collect();
        put("groups", text(groups.join(" ")));
    }
    if let Some(query) = query {
        put("query", text(query.as_str()));
    }
    for (attribute, stored, default) in [
        ("rollout", fleet.rollout.to_stored(), Rollout::default().to_stored()),
        ("schedule", fleet.schedule.to_stored(), Schedule::default().to_stored()),
        ("abort", fleet.abort.to_stored(), Abort::default().to_stored()),
    ] {
        if stored != default {
            put(attribute, text(stored));
        }
    }
    if let Some(broadcast) = &fleet.broadcast {
        put("broadcast_topic", text(broadcast.topic.as_str()));
        put("spread", number(broadcast.spread));
    }
}

/// The target that these attributes say.
pub(crate) fn read_target(item: &Item) -> Result<Target, Unreadable> {
    let read = Reader(item);
    if !item.contains_key("fleet") {
        return read.parsed("thing", ThingName::parse).map(Target::Thing);
    }
    let group =
        |name| GroupName::parse(name).map_err(|error| Unreadable { attribute: "groups", source: Some(error.into()) });
    let groups = read.text("groups")?.unwrap_or_default().split_whitespace().map(group).collect::<Result<_, _>>()?;
    let selection = Selection {
        listed: read.number("listed")?.unwrap_or(0),
        groups,
        query: match read.text("query")? {
            None => None,
            Some(_) => Some(read.parsed("query", FleetQuery::parse)?),
        },
        excluded: read.number("excluded")?.unwrap_or(0),
        digest: needed("digest", read.text("digest")?)?.to_owned(),
    };
    let broadcast = match read.text("broadcast_topic")? {
        None => None,
        Some(topic) => Some(Broadcast {
            topic: needed("broadcast_topic", Topic::broadcast(topic, Some(topic)))?,
            spread: read.number("spread")?.unwrap_or(0),
        }),
    };
    let (rollout, schedule, abort) = (
        parsed_or_default(&read, "rollout", Rollout::from_stored)?,
        parsed_or_default(&read, "schedule", Schedule::from_stored)?,
        parsed_or_default(&read, "abort", Abort::from_stored)?,
    );
    Ok(Target::Fleet(Box::new(Fleet { selection, rollout, schedule, abort, broadcast })))
}

fn parsed_or_default<T: Default, E>(
    read: &Reader<'_>,
    attribute: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Unreadable>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match read.text(attribute)? {
        None => Ok(T::default()),
        Some(_) => read.parsed(attribute, parse),
    }
}

/// The attributes of a control that is not as it was in the beginning.
pub(crate) fn control_attributes(control: &Control) -> Vec<(&'static str, AttributeValue)> {
    if *control == Control::default() {
        return Vec::new();
    }
    let mut attributes = vec![("control", text(control.state.as_str())), ("generation", number(control.generation))];
    if let ControlState::Canceled { force, reason } = control.state {
        attributes.push(("force", AttributeValue::Bool(force)));
        attributes.push(("control_reason", text(reason.as_str())));
    }
    attributes.extend(control.at.map(|at| ("control_at", millis(at))));
    attributes.extend(control.by.as_ref().map(|by| ("control_by", text(by.as_str()))));
    attributes.extend(control.why.as_ref().map(|why| ("control_why", text(why))));
    attributes
}

/// The control that these attributes say.
pub(crate) fn read_control(item: &Item) -> Result<Control, Unreadable> {
    let read = Reader(item);
    let Some(word) = read.text("control")? else { return Ok(Control::default()) };
    let state = match word {
        "RUNNING" => ControlState::Running,
        "PAUSED" => ControlState::Paused,
        "CANCELED" => ControlState::Canceled {
            force: matches!(item.get("force"), Some(AttributeValue::Bool(true))),
            reason: read.parsed("control_reason", Reason::parse)?,
        },
        _ => return Err(Unreadable { attribute: "control", source: None }),
    };
    Ok(Control {
        state,
        generation: needed("generation", read.number("generation")?)?,
        at: read.millis("control_at")?,
        by: read.text("control_by")?.map(By::caller),
        why: read.text("control_why")?.map(str::to_owned),
    })
}
