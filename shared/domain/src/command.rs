//! A command: a definition that has an identity and a beginning.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::{
    By, CommandId, Control, Deadlines, Definition, FleetQuery, GroupName, Key, Retry, Selection, Target, ThingName,
    Timestamp, execution::RETENTION,
};

/// What someone asked for, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which.
    pub id: CommandId,
    /// What.
    pub definition: Definition,
    /// Since when.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: By,
    /// Of what was asked for, so that a token can't be used for two different commands.
    pub fingerprint: Fingerprint,
    /// Whether it goes on: that of a fleet command can be changed.
    pub control: Control,
}

impl Command {
    /// Its execution at this thing.
    pub fn key_at(&self, thing: &ThingName) -> Key {
        Key::of(&self.id, thing)
    }

    /// Must have started by.
    pub fn start_by(&self) -> Timestamp {
        self.created_at.plus_seconds(self.definition.deadlines.ttl())
    }

    /// Must have finished by.
    pub fn finish_by(&self) -> Timestamp {
        self.created_at.plus_seconds(self.definition.deadlines.timeout())
    }

    /// When it may be forgotten. The last things of a fleet may be asked long after the first.
    pub fn purge_at(&self) -> Timestamp {
        let rollout = if self.definition.target.fleet().is_some() { 3 * Deadlines::LONGEST } else { 0 };
        self.finish_by().plus_seconds(RETENTION.saturating_add(rollout))
    }
}

/// What tells one definition from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of this definition, however its fields were ordered when it was asked for.
    pub fn of(definition: &Definition) -> Self {
        let Definition { name, payload, target, delivery, shadow, deadlines, retry, lane, supersede } = definition;
        let (ttl, timeout, heartbeat) = (deadlines.ttl(), deadlines.timeout(), deadlines.heartbeat().unwrap_or(0));
        let target = shown(target);
        let payload = payload.as_ref().map_or("", |payload| payload.as_json().get());
        let shadow = shadow.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let retry = retry.as_ref().map_or_else(|| "-".to_owned(), Retry::to_stored);
        let lane = lane
            .as_ref()
            .map_or_else(|| "-".to_owned(), |lane| format!("{} {}", lane.name.as_str(), lane.on_failure.as_str()));
        // Each of what stands before the payload has a fixed number of blanks or none, so no two definitions read the same.
        let all = format!(
            "{name} {target} {} {shadow} {ttl} {timeout} {heartbeat} {retry} {lane} {supersede} {payload}",
            delivery.as_str()
        );
        let mut text = BASE32_NOPAD.encode(&Sha256::digest(all)).to_ascii_lowercase();
        text.truncate(26);
        Self(text)
    }

    /// The fingerprint as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The fingerprint as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whom it means, so that no two targets read the same.
fn shown(target: &Target) -> String {
    let fleet = match target {
        Target::Thing(thing) => return thing.to_string(),
        Target::Fleet(fleet) => fleet,
    };
    let Selection { listed, groups, query, excluded, digest } = &fleet.selection;
    let groups: Vec<&str> = groups.iter().map(GroupName::as_str).collect();
    // A query may have blanks in it: how long it is says where it ends.
    let query = query.as_ref().map_or("", FleetQuery::as_str);
    let broadcast = fleet.broadcast.as_ref().map(|broadcast| format!("{} {}", broadcast.topic, broadcast.spread));
    let broadcast = broadcast.as_deref().unwrap_or("-");
    let (rollout, schedule, abort) = (fleet.rollout.to_stored(), fleet.schedule.to_stored(), fleet.abort.to_stored());
    let groups = groups.join(",");
    format!(
        "+{listed} -{excluded} {digest} [{groups}] {}:{query} {broadcast} {rollout} {schedule} {abort}",
        query.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Deadlines, Delivery, Fleet, GroupName, Payload, Selection, ThingName, execution::tests::command};

    fn fleet(things: &[&str], groups: &[&str]) -> Target {
        let things: Vec<_> = things.iter().map(|name| ThingName::parse(name).unwrap()).collect();
        let groups = groups.iter().map(|name| GroupName::parse(name).unwrap()).collect();
        let selection = Selection::new(&things, groups, None, &[]);
        let (rollout, schedule, abort) = Default::default();
        Target::Fleet(Box::new(Fleet { selection, rollout, schedule, abort, broadcast: None }))
    }

    #[test]
    fn another_definition_has_another_fingerprint() {
        let first = command(Delivery::Direct, None).definition;
        assert_eq!(Fingerprint::of(&first), Fingerprint::of(&first.clone()));
        let with = |change: fn(&mut Definition)| {
            let mut other = first.clone();
            change(&mut other);
            Fingerprint::of(&other)
        };
        for other in [
            with(|other| other.payload = Payload::parse("{}").ok()),
            with(|other| other.target = Target::Thing(ThingName::parse("pump-8").unwrap())),
            with(|other| other.target = fleet(&["pump-7"], &[])),
            with(|other| other.target = fleet(&["pump-8"], &[])),
            with(|other| other.target = fleet(&[], &["pump-7"])),
            with(|other| other.delivery = Delivery::Topic),
            with(|other| other.deadlines = Deadlines::new(Some(60), Some(600), Some(30)).unwrap()),
        ] {
            assert_ne!(other, Fingerprint::of(&first));
        }
    }
}
