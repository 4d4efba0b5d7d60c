//! The channel of an execution: direct message, topic, shadow or broadcast.

use std::fmt;

use crate::messages::shadow::route::ShadowRoute;

/// How the requests of one execution reach its device. It is stored as `direct`, `topic`, `broadcast` or
/// `shadow/<route>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A direct message.
    Direct,
    /// A message on the request topic of the thing.
    Topic,
    /// An entry in a shadow.
    Shadow(ShadowRoute),
    /// One message for the whole fleet. Only the first attempt is broadcast: a retry goes to its thing alone.
    Broadcast,
}

/// Why a stored text is no channel: the text, at most 64 characters of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a channel to a device: it must be direct, topic, broadcast or shadow/<route>")]
pub struct UnknownChannel(String);

impl Channel {
    /// The channel as it was stored.
    ///
    /// # Errors
    /// [`UnknownChannel`] for any other text.
    pub fn from_stored(text: &str) -> Result<Self, UnknownChannel> {
        match text {
            "direct" => Ok(Self::Direct),
            "topic" => Ok(Self::Topic),
            "broadcast" => Ok(Self::Broadcast),
            _ => {
                let route = text.strip_prefix("shadow/").and_then(|route| ShadowRoute::parse(route).ok());
                route.map(Self::Shadow).ok_or_else(|| UnknownChannel(text.chars().take(64).collect()))
            }
        }
    }

    /// The shadow and its dialect, where the channel is a shadow.
    pub const fn shadow(&self) -> Option<&ShadowRoute> {
        match self {
            Self::Shadow(route) => Some(route),
            Self::Direct | Self::Topic | Self::Broadcast => None,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Topic => f.write_str("topic"),
            Self::Broadcast => f.write_str("broadcast"),
            Self::Shadow(route) => write!(f, "shadow/{route}"),
        }
    }
}
