//! What someone asks for, once it is known to make sense.

use crate::{CommandName, Deadlines, Lane, Payload, Retry, ShadowRoute, Target};

/// What someone asks one thing, or a fleet, to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What to do.
    pub name: CommandName,
    /// With what.
    pub payload: Option<Payload>,
    /// Who.
    pub target: Target,
    /// How it gets there.
    pub delivery: Delivery,
    /// In which shadow and dialect, if the caller says so.
    pub shadow: Option<ShadowRoute>,
    /// By when.
    pub deadlines: Deadlines,
    /// Whether it is asked again.
    pub retry: Option<Retry>,
    /// After which others.
    pub lane: Option<Lane>,
    /// Whether it takes the place of those in its lane that were not delivered yet.
    pub supersede: bool,
}

/// How a request reaches its device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// By a direct message, which the device's acknowledgement proves.
    Direct,
    /// By a message on a topic, which waits for a device with a persistent session.
    Topic,
    /// By an entry in a shadow of the thing.
    Shadow,
    /// By one message for a whole fleet.
    Broadcast,
    /// The caller does not care how: by a direct message; where the device is not connected, in its shadow if it takes
    /// commands there, else as soon as it is back.
    #[default]
    Auto,
}

/// Not a way to deliver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// None at all.
    #[error("delivery must be direct, topic, shadow, auto or broadcast: it is {0:?}")]
    Unknown(String),
}

impl Delivery {
    /// The way that this word says.
    pub fn parse(word: &str) -> Result<Self, DeliveryError> {
        match word {
            "direct" => Ok(Self::Direct),
            "topic" => Ok(Self::Topic),
            "shadow" => Ok(Self::Shadow),
            "auto" => Ok(Self::Auto),
            "broadcast" => Ok(Self::Broadcast),
            _ => Err(DeliveryError::Unknown(word.chars().take(64).collect())),
        }
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
            Self::Shadow => "shadow",
            Self::Auto => "auto",
            Self::Broadcast => "broadcast",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_is_written() {
        use Delivery::{Auto, Broadcast, Direct, Shadow, Topic};
        for delivery in [Direct, Topic, Shadow, Auto, Broadcast] {
            assert_eq!(Delivery::parse(delivery.as_str()), Ok(delivery));
        }
        assert!(matches!(Delivery::parse("Direct"), Err(DeliveryError::Unknown(_))));
    }
}
