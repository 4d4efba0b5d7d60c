//! `Broadcast`: the topic and the spread of a command that reaches a whole fleet with one message.

use std::fmt;

use crate::fleet::query::FleetQuery;
use crate::fleet::selection::Selection;
use crate::names::GroupName;
use crate::topic::Topic;

/// How one message reaches all things of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// The topic of the message.
    pub topic: Topic,
    /// Seconds over which devices spread their answers, each with a delay of its own; 0 for no delay.
    pub spread: u32,
}

/// The one topic, beside those of groups, to which the functions may publish a broadcast, and who listens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedTopic {
    /// The topic.
    pub topic: Topic,
    /// The group whose things listen there; none if every thing of the account does.
    pub group: Option<GroupName>,
}

/// The things that get every message on a topic of broadcasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listeners {
    /// The things of a group and of its child groups.
    Group(GroupName),
    /// Every thing of the account.
    EveryThing,
}

/// A broadcast that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BroadcastError {
    /// No topic is given, and the target is not exactly one group.
    #[error("broadcast.topic is missing: it can be left out only if the target is exactly one group")]
    NoTopic,
    /// The functions may not publish to the topic.
    #[error("broadcast.topic must be cmd/group/<group>/req{}: it is {found:?}", alternative(.configured.as_deref()))]
    Topic {
        /// The beginning of the given topic.
        found: String,
        /// The configured topic, which is allowed too.
        configured: Option<String>,
    },
    /// The target is not exactly who gets the message: others would run the command, or some would never get it.
    #[error(
        "a message on {topic} reaches {listeners}, all of them and no others: make the target {}, or choose another \
         delivery",
        .listeners.as_target()
    )]
    Listeners {
        /// The topic.
        topic: Topic,
        /// Who listens on it.
        listeners: Listeners,
    },
    /// Some answers would come after the ttl.
    #[error("broadcast.spread must be 0 to {longest} seconds, less than the ttl: it is {found}")]
    Spread {
        /// The given number of seconds.
        found: i64,
        /// The largest allowed number of seconds.
        longest: u32,
    },
}

/// The configured topic in the text of an error.
fn alternative(configured: Option<&str>) -> String {
    configured.map(|topic| format!(" or {topic}")).unwrap_or_default()
}

impl BroadcastError {
    /// The field that is reported as wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoTopic | Self::Topic { .. } => "broadcast.topic",
            Self::Listeners { .. } => "target",
            Self::Spread { .. } => "broadcast.spread",
        }
    }
}

impl Listeners {
    /// Whether a selection is exactly these things.
    fn are(&self, selection: &Selection) -> bool {
        match self {
            Self::Group(group) => selection.only_group() == Some(group),
            Self::EveryThing => selection.is_every_thing(),
        }
    }

    /// The target that is exactly these things, as a request writes it.
    fn as_target(&self) -> String {
        match self {
            Self::Group(group) => format!(r#"{{"groups": ["{group}"]}}"#),
            Self::EveryThing => format!(r#"{{"query": "{}"}}"#, FleetQuery::EVERY_THING),
        }
    }
}

impl fmt::Display for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group) => write!(f, "the things of the group {group}"),
            Self::EveryThing => f.write_str("every thing of the account"),
        }
    }
}

impl Broadcast {
    /// A broadcast to these things.
    ///
    /// # Errors
    /// The topic is missing or not allowed, its listeners are not exactly the selected things, or the spread is not
    /// below the ttl.
    pub fn new(
        topic: Option<&str>,
        selection: &Selection,
        spread: Option<i64>,
        ttl_seconds: u32,
        shared: Option<&SharedTopic>,
    ) -> Result<Self, BroadcastError> {
        let (topic, listeners) = match (topic, &selection.groups[..]) {
            (None, [only]) => (Topic::group_request(only), Listeners::Group(only.clone())),
            (None, _) => return Err(BroadcastError::NoTopic),
            (Some(topic), _) => topic_and_listeners(topic, shared)?,
        };
        if !listeners.are(selection) {
            return Err(BroadcastError::Listeners { topic, listeners });
        }
        let longest = ttl_seconds.saturating_sub(1);
        let found = spread.unwrap_or(0);
        match u32::try_from(found) {
            Ok(spread) if spread <= longest => Ok(Self { topic, spread }),
            _ => Err(BroadcastError::Spread { found, longest }),
        }
    }
}

fn topic_and_listeners(topic: &str, shared: Option<&SharedTopic>) -> Result<(Topic, Listeners), BroadcastError> {
    if let Some(group) = Topic::requested_group(topic) {
        return Ok((Topic::group_request(&group), Listeners::Group(group)));
    }
    match shared {
        Some(SharedTopic { topic: shared, group }) if shared.as_str() == topic => {
            let listeners = group.clone().map_or(Listeners::EveryThing, Listeners::Group);
            Ok((shared.clone(), listeners))
        }
        _ => Err(BroadcastError::Topic {
            found: topic.chars().take(256).collect(),
            configured: shared.map(|shared| shared.topic.to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::names::ThingName;

    fn group(name: &str) -> GroupName {
        GroupName::parse(name).unwrap()
    }

    fn groups(names: &[&str]) -> Selection {
        Selection::new(&[], names.iter().map(|name| group(name)).collect(), None, &[])
    }

    fn query(query: &str) -> Selection {
        Selection::new(&[], Vec::new(), FleetQuery::parse(query).ok(), &[])
    }

    fn shared(group: Option<GroupName>) -> SharedTopic {
        SharedTopic { topic: Topic::from_stored("device_status/request"), group }
    }

    fn topic(topic: Option<&str>, selection: &Selection, shared: &SharedTopic) -> Result<String, BroadcastError> {
        Broadcast::new(topic, selection, None, 60, Some(shared)).map(|broadcast| broadcast.topic.to_string())
    }

    #[test]
    fn target_is_exactly_who_listens_on_the_topic() {
        let everyone = shared(None);
        let of_pumps = shared(Some(group("pumps")));
        let on_group = Some("cmd/group/pumps/req");
        let on_shared = Some("device_status/request");
        for (given, selection, shared, expected) in [
            (None, groups(&["pumps"]), &everyone, "cmd/group/pumps/req"),
            (on_group, groups(&["pumps"]), &everyone, "cmd/group/pumps/req"),
            (on_shared, query("thingName:*"), &everyone, "device_status/request"),
            (on_shared, groups(&["pumps"]), &of_pumps, "device_status/request"),
        ] {
            assert_eq!(topic(given, &selection, shared).as_deref(), Ok(expected));
        }
        let things = [ThingName::parse("pump-7").unwrap()];
        let excluding = Selection { excluded: 1, ..groups(&["pumps"]) };
        let with_list = Selection { listed: 1, ..groups(&["pumps"]) };
        let with_query = Selection { query: FleetQuery::parse("a").ok(), ..groups(&["pumps"]) };
        for (given, selection, shared, target) in [
            (None, excluding.clone(), &everyone, r#"{"groups": ["pumps"]}"#),
            (None, with_list, &everyone, r#"{"groups": ["pumps"]}"#),
            (None, with_query, &everyone, r#"{"groups": ["pumps"]}"#),
            (on_group, groups(&["pumps", "valves"]), &everyone, r#"{"groups": ["pumps"]}"#),
            (on_group, groups(&["valves"]), &everyone, r#"{"groups": ["pumps"]}"#),
            (on_group, Selection::new(&things, Vec::new(), None, &[]), &everyone, r#"{"groups": ["pumps"]}"#),
            (on_group, query("thingName:*"), &everyone, r#"{"groups": ["pumps"]}"#),
            (on_shared, groups(&["pumps"]), &everyone, r#"{"query": "thingName:*"}"#),
            (on_shared, query("thingName:p*"), &everyone, r#"{"query": "thingName:*"}"#),
            (on_shared, Selection { excluded: 1, ..query("thingName:*") }, &everyone, r#"{"query": "thingName:*"}"#),
            (on_shared, query("thingName:*"), &of_pumps, r#"{"groups": ["pumps"]}"#),
            (on_shared, excluding, &of_pumps, r#"{"groups": ["pumps"]}"#),
        ] {
            let error = topic(given, &selection, shared).expect_err(target);
            assert_eq!(error.field(), "target", "{error}");
            assert!(error.to_string().contains(&format!("make the target {target}, ")), "{error}");
        }
    }

    #[test]
    fn topic_is_one_to_which_functions_may_publish() {
        let error = topic(Some("cmd/pump-7/req"), &groups(&["pumps"]), &shared(None)).unwrap_err();
        let expected =
            "broadcast.topic must be cmd/group/<group>/req or device_status/request: it is \"cmd/pump-7/req\"";
        assert_eq!((error.field(), error.to_string().as_str()), ("broadcast.topic", expected));
        let none = Broadcast::new(Some("device_status/request"), &query("thingName:*"), None, 60, None);
        assert!(matches!(none, Err(BroadcastError::Topic { configured: None, .. })));
        assert_eq!(topic(None, &query("thingName:*"), &shared(None)), Err(BroadcastError::NoTopic));
    }
}
