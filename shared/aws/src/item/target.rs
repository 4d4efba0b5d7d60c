//! The target of a command, in its META item: one thing, or a fleet with its rollout, schedule, abort criteria and
//! broadcast.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Abort, Broadcast, Fleet, FleetQuery, GroupName, Rollout, Schedule, Selection, Target, ThingName, Topic};

use super::attributes::{Item, Reader, Unreadable, needed, number, put_flag, text};

pub(super) fn put_target(item: &mut Item, target: &Target) {
    match target {
        Target::Thing(thing) => {
            item.insert("thing".to_owned(), text(thing.as_str()));
        }
        Target::Fleet(fleet) => {
            put_flag(item, "fleet", true);
            item.extend(fleet_attributes(fleet).into_iter().map(|(attribute, value)| (attribute.to_owned(), value)));
        }
    }
}

fn fleet_attributes(fleet: &Fleet) -> Vec<(&'static str, AttributeValue)> {
    let Selection { listed, groups, query, excluded, digest } = &fleet.selection;
    let mut attributes = vec![("digest", text(digest))];
    for (attribute, names) in [("listed", listed), ("excluded", excluded)] {
        if *names > 0 {
            attributes.push((attribute, number(names)));
        }
    }
    if !groups.is_empty() {
        let groups: Vec<&str> = groups.iter().map(GroupName::as_str).collect();
        attributes.push(("groups", text(groups.join(" "))));
    }
    attributes.extend(query.as_ref().map(|query| ("query", text(query.as_str()))));
    for (attribute, stored, default) in [
        ("rollout", fleet.rollout.to_stored(), Rollout::default().to_stored()),
        ("schedule", fleet.schedule.to_stored(), Schedule::default().to_stored()),
        ("abort", fleet.abort.to_stored(), Abort::default().to_stored()),
    ] {
        if stored != default {
            attributes.push((attribute, text(stored)));
        }
    }
    if fleet.rollout.rate_changes() > 0 {
        attributes.push(("rate_changes", number(fleet.rollout.rate_changes())));
    }
    if let Some(broadcast) = &fleet.broadcast {
        attributes.push(("broadcast_topic", text(broadcast.topic.as_str())));
        attributes.push(("broadcast_spread_seconds", number(broadcast.spread)));
    }
    attributes
}

/// The attributes that a change of the rate writes.
pub(crate) fn changed_rate_attributes(rollout: &Rollout) -> Vec<(&'static str, AttributeValue)> {
    let mut attributes = vec![("rollout", text(rollout.to_stored()))];
    attributes.push(("rate_changes", number(rollout.rate_changes())));
    attributes
}

pub(super) fn target_from_item(item: &Item) -> Result<Target, Unreadable> {
    let read = Reader(item);
    if !read.flag("fleet") {
        return read.parsed("thing", ThingName::parse).map(Target::Thing);
    }
    let group = |name| GroupName::parse(name).map_err(|error| Unreadable::because("groups", error));
    let selection = Selection {
        listed: read.number("listed")?.unwrap_or(0),
        groups: read.text("groups")?.unwrap_or_default().split_whitespace().map(group).collect::<Result<_, _>>()?,
        query: read.parsed_if_exists("query", FleetQuery::parse)?,
        excluded: read.number("excluded")?.unwrap_or(0),
        digest: needed("digest", read.text("digest")?)?.to_owned(),
    };
    let broadcast = match read.text("broadcast_topic")? {
        None => None,
        Some(topic) => Some(Broadcast {
            topic: Topic::from_stored(topic),
            spread: read.number("broadcast_spread_seconds")?.unwrap_or(0),
        }),
    };
    Ok(Target::Fleet(Box::new(Fleet {
        selection,
        rollout: read
            .parsed_if_exists("rollout", Rollout::from_stored)?
            .unwrap_or_default()
            .with_rate_changes(read.number("rate_changes")?.unwrap_or(0)),
        schedule: read.parsed_if_exists("schedule", Schedule::from_stored)?.unwrap_or_default(),
        abort: read.parsed_if_exists("abort", Abort::from_stored)?.unwrap_or_default(),
        broadcast,
    })))
}
