//! MQTT topics: every topic string is built and parsed in this file.

use std::fmt;

use crate::ids::{CommandId, ExecutionId};
use crate::names::{GroupName, ShadowName, ThingName};

/// A topic within the limits of AWS IoT: at most 256 bytes and 7 slashes, for all names that [`ThingName`] and
/// [`ShadowName`] accept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic(String);

impl Topic {
    /// `cmd/<thing>/req`: requests to a thing.
    pub fn request(thing: &ThingName) -> Self {
        Self(format!("cmd/{thing}/req"))
    }

    /// `cmd/<thing>/resp`: reports of a thing.
    pub fn response(thing: &ThingName) -> Self {
        Self(format!("cmd/{thing}/resp"))
    }

    /// `cmd/<thing>/resp/<execution id>`: reports of a thing about one execution.
    pub fn response_of(thing: &ThingName, execution: &ExecutionId) -> Self {
        Self(format!("cmd/{thing}/resp/{execution}"))
    }

    /// `cmd/<thing>/cancel`: cancel notices to a thing.
    pub fn cancel(thing: &ThingName) -> Self {
        Self(format!("cmd/{thing}/cancel"))
    }

    /// `cmd/group/<group>/req`: broadcast requests to the things of a group.
    pub fn group_request(group: &GroupName) -> Self {
        Self(format!("cmd/group/{group}/req"))
    }

    /// A topic as it is stored, or as the stack is configured: it was checked when it was given.
    pub fn from_stored(topic: &str) -> Self {
        Self(topic.to_owned())
    }

    /// The group, if this is a group's request topic.
    pub fn requested_group(topic: &str) -> Option<GroupName> {
        let group = topic.strip_prefix("cmd/group/")?.strip_suffix("/req")?;
        GroupName::parse(group).ok()
    }

    /// `cmd/commands/<command id>/events`: progress of a command, for operators.
    pub fn command_events(command: &CommandId) -> Self {
        Self(format!("cmd/commands/{command}/events"))
    }

    /// Trimmed messages of a shadow of a thing: of the classic shadow, or of a named one.
    pub fn trimmed_shadow(thing: &ThingName, shadow: Option<&ShadowName>) -> Self {
        match shadow {
            None => Self(format!("things/{thing}/shadow/trimmed/update")),
            Some(shadow) => Self(format!("things/{thing}/shadow/{shadow}/trimmed/update")),
        }
    }

    /// Trimmed answers to a thing that has asked for a shadow: the classic one, or a named one.
    pub fn trimmed_answer(thing: &ThingName, shadow: Option<&ShadowName>) -> Self {
        match shadow {
            None => Self(format!("things/{thing}/shadow/trimmed/get")),
            Some(shadow) => Self(format!("things/{thing}/shadow/{shadow}/trimmed/get")),
        }
    }

    /// Whether a subscription with this filter receives a message on this topic. Topics of this type never begin with
    /// `$`.
    pub fn matches(&self, filter: &str) -> bool {
        let mut levels = self.0.split('/');
        for part in filter.split('/') {
            match (part, levels.next()) {
                // On AWS IoT, `a/#` does not match `a`.
                ("#", level) => return level.is_some(),
                ("+", Some(_)) => {}
                (part, Some(level)) if part == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }

    /// The topic as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A topic that a device publishes a report on, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseTopic {
    /// The thing that reports. The IoT policy ties the topic to the certificate, so a device can't report for another
    /// thing.
    pub thing: ThingName,
    /// The execution, where the topic is `cmd/<thing>/resp/<execution id>`, or ends in the id of its command.
    pub execution: Option<ExecutionId>,
}

/// Why a topic is not a report's topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not cmd/<thing>/resp, cmd/<thing>/response or cmd/<thing>/resp/<id of the execution or command>")]
pub struct TopicError(String);

impl ResponseTopic {
    /// Parses the topic of a report, which was published directly or by Basic Ingest (`$aws/rules/<rule>/...`).
    ///
    /// # Errors
    /// [`TopicError`] for any other topic.
    pub fn parse(topic: &str) -> Result<Self, TopicError> {
        let refused = || TopicError(topic.chars().take(256).collect());
        let direct = match topic.strip_prefix("$aws/rules/") {
            None => topic,
            Some(ingested) => ingested.split_once('/').ok_or_else(refused)?.1,
        };
        let levels: Vec<&str> = direct.split('/').collect();
        let (thing, execution) = match levels[..] {
            ["cmd", thing, "resp" | "response"] => (thing, None),
            ["cmd", thing, "resp", id] => (thing, Some(id)),
            _ => return Err(refused()),
        };
        let thing = ThingName::parse(thing).map_err(|_| refused())?;
        let execution = execution.map(|id| ExecutionId::named(id, &thing)).transpose().map_err(|_| refused())?;
        Ok(Self { thing, execution })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn every_form_of_report_topic_is_parsed() {
        for (topic, id) in [
            ("cmd/pump-7/resp".to_owned(), None),
            ("cmd/pump-7/response".to_owned(), None),
            (format!("cmd/pump-7/resp/{ID}"), Some(ID)),
            ("$aws/rules/track_response/cmd/pump-7/resp".to_owned(), None),
            (format!("$aws/rules/track_response/cmd/pump-7/resp/{ID}"), Some(ID)),
            // The answer to a broadcast, whose message names the command alone.
            ("cmd/pump-7/resp/018f0000-0000-7000-8000-000000000000".to_owned(), Some("wzn3r4hcw7qn2jmhxoao5t7d4i")),
        ] {
            let parsed = ResponseTopic::parse(&topic).unwrap();
            assert_eq!(parsed.thing.as_str(), "pump-7", "{topic}");
            assert_eq!(parsed.execution.as_ref().map(ExecutionId::as_str), id, "{topic}");
        }
    }

    #[test]
    fn other_topics_are_refused() {
        for topic in [
            "",
            "cmd/pump-7/req",
            "cmd/pump-7/cancel",
            "cmd//resp",
            "cmd/pump 7/resp",
            "cmd/pump-7/resp/",
            "cmd/pump-7/resp/not-an-id",
            "cmd/pump-7/resp/018F0000-0000-7000-8000-000000000000",
            "cmd/pump-7/response/abcdefghijklmnopqrstuvwxyz",
            "$aws/rules/x",
            "/cmd/pump-7/resp",
        ] {
            assert!(ResponseTopic::parse(topic).is_err(), "{topic}");
        }
    }

    proptest! {
        #[test]
        fn topics_of_all_names_are_within_the_limits_of_aws(
            thing in "[a-zA-Z0-9:_-]{1,128}", shadow in proptest::option::of("[a-zA-Z0-9:_-]{1,64}"),
        ) {
            let thing = ThingName::parse(&thing).unwrap();
            let shadow = shadow.map(|name| ShadowName::parse(&name).unwrap());
            let id = ExecutionId::parse(ID).unwrap();
            let response_of = Topic::response_of(&thing, &id);
            for topic in [
                Topic::request(&thing),
                Topic::response(&thing),
                response_of.clone(),
                Topic::cancel(&thing),
                Topic::trimmed_shadow(&thing, shadow.as_ref()),
                Topic::trimmed_answer(&thing, shadow.as_ref()),
            ] {
                prop_assert!(topic.as_str().len() <= 256);
                prop_assert!(topic.as_str().matches('/').count() <= 7);
                prop_assert!(!topic.as_str().contains(['+', '#', '\0']));
            }
            prop_assert_eq!(&ResponseTopic::parse(Topic::response(&thing).as_str()).unwrap().thing, &thing);
            let parsed = ResponseTopic::parse(response_of.as_str()).unwrap();
            prop_assert_eq!(parsed, ResponseTopic { thing, execution: Some(id) });
        }

        #[test]
        fn any_text_is_parsed_or_refused_without_panic(topic in ".*") {
            let _ = ResponseTopic::parse(&topic);
        }
    }
}
