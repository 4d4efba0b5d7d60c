//! `Broadcast`: the topic and the spread of a command that reaches a whole fleet with one message.

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

impl Broadcast {
    /// A broadcast for these groups. `configured` is the one topic, beside those of groups, to which the functions may
    /// publish.
    ///
    /// # Errors
    /// The topic is missing or not allowed, or the spread is not below the ttl.
    pub fn new(
        topic: Option<&str>,
        groups: &[GroupName],
        spread: Option<i64>,
        ttl_seconds: u32,
        configured: Option<&str>,
    ) -> Result<Self, BroadcastError> {
        let topic = match (topic, groups) {
            (None, [only]) => Topic::group_request(only),
            (None, _) => return Err(BroadcastError::NoTopic),
            (Some(topic), _) => Topic::broadcast(topic, configured).ok_or_else(|| BroadcastError::Topic {
                found: topic.chars().take(256).collect(),
                configured: configured.map(str::to_owned),
            })?,
        };
        let longest = ttl_seconds.saturating_sub(1);
        let found = spread.unwrap_or(0);
        match u32::try_from(found) {
            Ok(spread) if spread <= longest => Ok(Self { topic, spread }),
            _ => Err(BroadcastError::Spread { found, longest }),
        }
    }
}
