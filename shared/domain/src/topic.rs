//! Every topic string is built and parsed here, and nowhere else.

use std::fmt;

use crate::{CommandId, ExecutionId, GroupName, ShadowName, ThingName};

/// A topic that AWS IoT takes: at most 256 bytes and 7 slashes. Every one built here is, whatever the names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic(String);

impl Topic {
    /// Where a thing is asked to do something.
    pub fn request(thing: &ThingName) -> Self {
        Self(format!("cmd/{thing}/req"))
    }

    /// Where a thing answers.
    pub fn response(thing: &ThingName) -> Self {
        Self(format!("cmd/{thing}/resp"))
    }

    /// Where a thing answers on this one execution.
    pub fn response_of(thing: &ThingName, execution: &ExecutionId) -> Self {
        Self(format!("cmd/{thing}/resp/{execution}"))
    }

    /// Where a thing is told that an execution has been called off.
    pub fn cancel(thing: &ThingName) -> Self {
        Self(format!("cmd/{thing}/cancel"))
    }

    /// Where the things of a group are asked to do something, all at once.
    pub fn group_request(group: &GroupName) -> Self {
        Self(format!("cmd/group/{group}/req"))
    }

    /// This topic, if a whole fleet may be asked there: it is a group's, or the one that is configured for it.
    pub fn broadcast(topic: &str, configured: Option<&str>) -> Option<Self> {
        let group = topic.strip_prefix("cmd/group/").and_then(|rest| rest.strip_suffix("/req"));
        let known = group.is_some_and(|group| GroupName::parse(group).is_ok()) || configured == Some(topic);
        known.then(|| Self(topic.to_owned()))
    }

    /// Where it is told how a fleet command gets on.
    pub fn command_events(command: &CommandId) -> Self {
        Self(format!("cmd/commands/{command}/events"))
    }

    /// Where a thing receives what is left of its shadow messages: of the classic shadow, or of a named one.
    pub fn trimmed_shadow(thing: &ThingName, shadow: Option<&ShadowName>) -> Self {
        match shadow {
            None => Self(format!("things/{thing}/shadow/trimmed/update")),
            Some(shadow) => Self(format!("things/{thing}/shadow/{shadow}/trimmed/update")),
        }
    }

    /// Whether a subscription with this filter gets what is published here. What begins with `$` is no topic of ours.
    pub fn matches(&self, filter: &str) -> bool {
        let mut levels = self.0.split('/');
        for part in filter.split('/') {
            match (part, levels.next()) {
                // On AWS IoT, a filter that ends with # does not match the level above.
                ("#", level) => return level.is_some(),
                ("+", Some(_)) => {}
                (part, Some(level)) if part == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }

    /// The topic as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who answered, and, where the topic says so, on which execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseTopic {
    /// The thing. The IoT policy ties it to the certificate, so it is who it says.
    pub thing: ThingName,
    /// The execution, on `cmd/<thing>/resp/<execution id>`.
    pub execution: Option<ExecutionId>,
}

/// Not a topic that a thing answers on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not cmd/<thing>/resp, cmd/<thing>/response or cmd/<thing>/resp/<execution id>")]
pub struct TopicError(String);

impl ResponseTopic {
    /// Who answers on this topic, directly or by Basic Ingest (`$aws/rules/<rule>/...`).
    pub fn parse(topic: &str) -> Result<Self, TopicError> {
        let refused = || TopicError(topic.chars().take(256).collect());
        let own = match topic.strip_prefix("$aws/rules/") {
            None => topic,
            Some(ingested) => ingested.split_once('/').ok_or_else(refused)?.1,
        };
        let levels: Vec<&str> = own.split('/').collect();
        let (thing, execution) = match levels[..] {
            ["cmd", thing, "resp" | "response"] => (thing, None),
            ["cmd", thing, "resp", id] => (thing, Some(ExecutionId::parse(id).map_err(|_| refused())?)),
            _ => return Err(refused()),
        };
        Ok(Self { thing: ThingName::parse(thing).map_err(|_| refused())?, execution })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn every_way_to_answer_is_understood() {
        for (topic, id) in [
            ("cmd/pump-7/resp".to_owned(), None),
            ("cmd/pump-7/response".to_owned(), None),
            (format!("cmd/pump-7/resp/{ID}"), Some(ID)),
            ("$aws/rules/track_response/cmd/pump-7/resp".to_owned(), None),
            (format!("$aws/rules/track_response/cmd/pump-7/resp/{ID}"), Some(ID)),
        ] {
            let parsed = ResponseTopic::parse(&topic).unwrap();
            assert_eq!(parsed.thing.as_str(), "pump-7", "{topic}");
            assert_eq!(parsed.execution.as_ref().map(ExecutionId::as_str), id, "{topic}");
        }
    }

    #[test]
    fn no_other_topic_is_an_answer() {
        for topic in [
            "",
            "cmd/pump-7/req",
            "cmd/pump-7/cancel",
            "cmd//resp",
            "cmd/pump 7/resp",
            "cmd/pump-7/resp/",
            "cmd/pump-7/resp/not-an-id",
            "cmd/pump-7/response/abcdefghijklmnopqrstuvwxyz",
            "$aws/rules/x",
            "/cmd/pump-7/resp",
        ] {
            assert!(ResponseTopic::parse(topic).is_err(), "{topic}");
        }
    }

    proptest! {
        #[test]
        fn no_name_makes_a_topic_that_aws_refuses(
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
            ] {
                prop_assert!(topic.as_str().len() <= 256);
                prop_assert!(topic.as_str().matches('/').count() <= 7);
                prop_assert!(!topic.as_str().contains(['+', '#', '\0']));
            }
            prop_assert_eq!(&ResponseTopic::parse(Topic::response(&thing).as_str()).unwrap().thing, &thing);
            let answer = ResponseTopic::parse(response_of.as_str()).unwrap();
            prop_assert_eq!(answer, ResponseTopic { thing, execution: Some(id) });
        }

        #[test]
        fn any_text_is_parsed_or_refused(topic in ".*") {
            let _ = ResponseTopic::parse(&topic);
        }
    }
}
