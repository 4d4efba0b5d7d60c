//! By which way an execution reaches its device.

use std::fmt;

use crate::{Command, Delivery, ShadowRoute};

/// The way that is taken; a caller who does not care leaves it open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// A direct message.
    Direct,
    /// A message on a topic.
    Topic,
    /// An entry in a shadow.
    Shadow(ShadowRoute),
    /// One message for a whole fleet. Only the first attempt goes so: whoever is asked again is asked alone.
    Broadcast,
}

/// Not a way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no way to a device")]
pub struct ViaError(String);

impl Via {
    /// The way that a command goes first. `shadow` is where its thing takes commands in a shadow, as far as is known.
    pub fn of(command: &Command, shadow: Option<ShadowRoute>) -> Self {
        match command.definition.delivery {
            Delivery::Direct | Delivery::Auto => Self::Direct,
            Delivery::Topic => Self::Topic,
            Delivery::Broadcast => Self::Broadcast,
            Delivery::Shadow => Self::Shadow(command.definition.shadow.clone().or(shadow).unwrap_or_default()),
        }
    }

    /// The way as it was stored.
    pub fn from_stored(text: &str) -> Result<Self, ViaError> {
        match text {
            "direct" => Ok(Self::Direct),
            "topic" => Ok(Self::Topic),
            "broadcast" => Ok(Self::Broadcast),
            _ => {
                let route = text.strip_prefix("shadow/").and_then(|route| ShadowRoute::parse(route).ok());
                route.map(Self::Shadow).ok_or_else(|| ViaError(text.chars().take(64).collect()))
            }
        }
    }

    /// The shadow that it goes through, if it goes through one.
    pub const fn shadow(&self) -> Option<&ShadowRoute> {
        match self {
            Self::Shadow(route) => Some(route),
            Self::Direct | Self::Topic | Self::Broadcast => None,
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Topic => f.write_str("topic"),
            Self::Broadcast => f.write_str("broadcast"),
            Self::Shadow(route) => write!(f, "shadow/{route}"),
        }
    }
}
