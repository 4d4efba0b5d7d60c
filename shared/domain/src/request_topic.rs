//! A topic of the caller's choice for requests, one of those that the stack's configuration allows.

use std::fmt;

use crate::names::ThingName;
use crate::topic::Topic;

/// A topic for requests, with the level `{thing}` where the thing's name belongs, such as `lights/{thing}/set`.
///
/// No two things have the same topic: the name fills one level, and no name has a slash. The first level is fixed, so no
/// name makes a topic of another family, such as `cmd/` or `$aws/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTopic(String);

/// Why a text is not a topic for requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a topic for requests: {1}")]
pub struct RequestTopicError(String, &'static str);

impl RequestTopic {
    /// The level that stands for the thing's name.
    pub const THING: &'static str = "{thing}";
    /// With a name of 128 characters, the longest, a topic of this length has the 256 bytes that AWS IoT allows.
    pub const MAX_BYTES: usize = 256 - 128 + Self::THING.len();
    /// The families of topics that Flaghoist and AWS IoT use themselves.
    const RESERVED: [&'static str; 2] = ["cmd", "things"];

    /// Parses a topic.
    ///
    /// # Errors
    /// [`RequestTopicError`] where it has no level `{thing}` or more than one, where that is the first one, or where
    /// AWS IoT or Flaghoist use such topics themselves.
    pub fn parse(text: &str) -> Result<Self, RequestTopicError> {
        let levels: Vec<&str> = text.split('/').collect();
        let is_name = |level: &str| {
            !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:-.".contains(&byte))
        };
        let why = if text.len() > Self::MAX_BYTES {
            "it has more than 135 bytes"
        } else if levels.len() > 8 {
            "AWS IoT allows 7 slashes"
        } else if levels.iter().filter(|level| **level == Self::THING).count() != 1 {
            "one of its levels has to be {thing}"
        } else if !levels.iter().all(|level| *level == Self::THING || is_name(level)) {
            "its other levels may have letters, digits, _, :, - and ."
        } else if levels.first() == Some(&Self::THING) {
            "its first level may not be {thing}"
        } else if levels.first().is_some_and(|first| Self::RESERVED.contains(first)) {
            "topics below cmd/ and things/ are used by Flaghoist itself"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(RequestTopicError(text.chars().take(Self::MAX_BYTES).collect(), why))
    }

    /// The topic of a thing.
    pub fn of(&self, thing: &ThingName) -> Topic {
        Topic::from_stored(&self.0.replace(Self::THING, thing.as_str()))
    }

    /// Whether a thing may have a name with which this topic is another one, whose level `{thing}` may be any name too.
    pub fn may_equal(&self, topic: &str) -> bool {
        let (levels, others): (Vec<&str>, Vec<&str>) = (self.0.split('/').collect(), topic.split('/').collect());
        let alike = |(one, other): (&&str, &&str)| one == other || [one, other].contains(&&Self::THING);
        levels.len() == others.len() && levels.iter().zip(&others).all(alike)
    }

    /// The topic with its level `{thing}`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The topics that a caller may choose, besides each thing's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestTopics(Vec<RequestTopic>);

impl RequestTopics {
    /// Parses a comma-separated list. Topics that are refused are left out, and returned as errors: a stack with a
    /// wrong one serves all others.
    pub fn parse(list: &str) -> (Self, Vec<RequestTopicError>) {
        let (mut topics, mut refused) = (Vec::<RequestTopic>::new(), Vec::new());
        for text in list.split(',').map(str::trim).filter(|topic| !topic.is_empty()) {
            match RequestTopic::parse(text) {
                Ok(topic) if topics.iter().any(|other| other.may_equal(topic.as_str())) => {
                    refused.push(RequestTopicError(topic.0, "two things may have it, by another topic of the list"));
                }
                Ok(topic) => topics.push(topic),
                Err(error) => refused.push(error),
            }
        }
        (Self(topics), refused)
    }

    /// The topic, if it is one of these.
    pub fn find(&self, topic: &str) -> Option<&RequestTopic> {
        self.0.iter().find(|allowed| allowed.as_str() == topic)
    }

    /// Whether a subscription with this filter receives requests to the thing, on its own topic or on one of these.
    pub fn may_reach(&self, thing: &ThingName, filter: &str) -> bool {
        Topic::request(thing).matches(filter) || self.0.iter().any(|topic| topic.of(thing).matches(filter))
    }
}

impl fmt::Display for RequestTopics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics: Vec<&str> = self.0.iter().map(RequestTopic::as_str).collect();
        f.write_str(&topics.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn topics_that_could_reach_others_are_refused() {
        for text in ["lights/{thing}/set", "a/{thing}", "a/b/c/d/e/f/g/{thing}", "plant-1/line:2/{thing}/v1.0"] {
            assert_eq!(RequestTopic::parse(text).map(|topic| topic.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "{thing}",
            "{thing}/set",
            "lights/all",
            "lights/{thing}1/set",
            "lights/{thing}/{thing}",
            "cmd/{thing}/req",
            "cmd/{thing}/resp",
            "things/{thing}/x",
            "$aws/things/{thing}/shadow/update",
            "lights/+/{thing}",
            "lights/{thing}/#",
            "lights//{thing}",
            "/lights/{thing}",
            "lights/{thing}/",
            "lights/{Thing}/set",
            "a/b/c/d/e/f/g/h/{thing}",
            "größe/{thing}",
            &format!("{}/{{thing}}", "x".repeat(128)),
        ] {
            assert!(RequestTopic::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_topic_of_the_list_is_left_out() {
        let parse = |list: &str| {
            let (topics, refused) = RequestTopics::parse(list);
            (topics.to_string(), refused.len())
        };
        assert_eq!(parse(" "), (String::new(), 0));
        assert_eq!(parse("lights/{thing}/set, valves/{thing}"), ("lights/{thing}/set, valves/{thing}".to_owned(), 0));
        assert_eq!(parse("cmd/{thing}/req,valves/{thing}"), ("valves/{thing}".to_owned(), 1));
        // The topic of the thing `valves` by the first is that of the thing `set` by the second.
        assert_eq!(parse("plant/{thing}/set,plant/valves/{thing}"), ("plant/{thing}/set".to_owned(), 1));
        assert_eq!(parse("a/{thing}/set,a/{thing}/get,b/{thing}/set").1, 0);
        let topic = RequestTopic::parse("device_status/{thing}").unwrap();
        assert!(topic.may_equal("device_status/request") && !topic.may_equal("device_status/request/all"));
    }

    #[test]
    fn only_a_topic_of_the_list_is_found() {
        let (topics, _) = RequestTopics::parse("lights/{thing}/set,valves/{thing}");
        assert_eq!(topics.find("valves/{thing}").map(RequestTopic::as_str), Some("valves/{thing}"));
        assert_eq!(topics.find("valves/pump-7"), None);
        let pump = ThingName::parse("pump-7").unwrap();
        for filter in ["cmd/pump-7/req", "lights/+/set", "valves/pump-7", "#"] {
            assert!(topics.may_reach(&pump, filter), "{filter}");
        }
        for filter in ["valves/pump-8", "lights/pump-7", "cmd/pump-7/cancel"] {
            assert!(!topics.may_reach(&pump, filter), "{filter}");
        }
    }

    proptest! {
        #[test]
        fn each_thing_has_a_topic_of_its_own_within_the_limits(
            one in "[a-zA-Z0-9:_-]{1,128}", other in "[a-zA-Z0-9:_-]{1,128}", before in "[a-b]{1,60}/([a-z]{0,3}/)?",
            after in "(/[a-z1]{1,60})?",
        ) {
            let Ok(topic) = RequestTopic::parse(&format!("{before}{{thing}}{after}")) else { return Ok(()) };
            let (one, other) = (ThingName::parse(&one).unwrap(), ThingName::parse(&other).unwrap());
            let (one_topic, other_topic) = (topic.of(&one), topic.of(&other));
            prop_assert_eq!(one == other, one_topic == other_topic);
            prop_assert!(one_topic.as_str().len() <= 256);
            prop_assert!(!one_topic.as_str().starts_with("cmd/"));
        }
    }
}
