//! The fingerprint of a definition: a hash that shows whether two requests with one idempotency token ask for the
//! same.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::command::definition::Definition;
use crate::command::retry::Retry;
use crate::fleet::query::FleetQuery;
use crate::fleet::selection::Selection;
use crate::fleet::target::Target;
use crate::names::GroupName;

/// A hash of a definition: 26 characters of `a-z` and `2-7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a definition. It does not depend on the order of the fields in the request body.
    pub fn of(definition: &Definition) -> Self {
        let Definition { name, payload, form, target, delivery, shadow, deadlines, retry, lane, supersede } =
            definition;
        let (ttl, timeout, heartbeat) =
            (deadlines.ttl_seconds(), deadlines.timeout_seconds(), deadlines.heartbeat_seconds().unwrap_or(0));
        let target = target_text(target);
        let payload = payload.as_ref().map_or("", |payload| payload.as_json().get());
        let shadow = shadow.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let retry = retry.as_ref().map_or_else(|| "-".to_owned(), Retry::to_stored);
        let lane = lane
            .as_ref()
            .map_or_else(|| "-".to_owned(), |lane| format!("{} {}", lane.name.as_str(), lane.on_failure.as_str()));
        // Each part before the form has a fixed number of blanks, or none. The form begins with a word that no payload
        // begins with, and a content type ends the text, since a raw request has no payload. So no two definitions give
        // the same text.
        let all = format!(
            "{name} {target} {} {shadow} {ttl} {timeout} {heartbeat} {retry} {lane} {supersede}{form} {payload}",
            delivery.as_str(),
            form = form.to_text(),
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

/// The target as text: no two targets give the same.
fn target_text(target: &Target) -> String {
    let fleet = match target {
        Target::Thing(thing) => return thing.to_string(),
        Target::Fleet(fleet) => fleet,
    };
    let Selection { listed, groups, query, excluded, digest } = &fleet.selection;
    let groups: Vec<&str> = groups.iter().map(GroupName::as_str).collect();
    // A query may have blanks in it: its length tells where it ends.
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

    use crate::command::deadlines::Deadlines;
    use crate::command::delivery::Delivery;
    use crate::command::payload::Payload;
    use crate::command::raw_payload::RawPayload;
    use crate::execution::fixtures::command;
    use crate::fleet::target::Fleet;
    use crate::names::ThingName;
    use crate::request_topic::RequestTopic;

    fn fleet(things: &[&str], groups: &[&str]) -> Target {
        let things: Vec<_> = things.iter().map(|name| ThingName::parse(name).unwrap()).collect();
        let groups = groups.iter().map(|name| GroupName::parse(name).unwrap()).collect();
        let selection = Selection::new(&things, groups, None, &[]);
        let (rollout, schedule, abort) = Default::default();
        Target::Fleet(Box::new(Fleet { selection, rollout, schedule, abort, broadcast: None }))
    }

    #[test]
    fn different_definitions_have_different_fingerprints() {
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
            with(|other| other.form.topic = RequestTopic::parse("lights/{thing}").ok()),
            with(|other| other.form.raw = RawPayload::parse("", None).ok()),
            with(|other| other.deadlines = Deadlines::new(Some(60), Some(600), Some(30)).unwrap()),
        ] {
            assert_ne!(other, Fingerprint::of(&first));
        }
    }
}
