//! What someone asks for, once it is known to make sense.

use crate::{CommandName, Deadlines, Lane, Payload, Retry, ShadowRoute, ThingName};

/// What someone asks one thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What to do.
    pub name: CommandName,
    /// With what.
    pub payload: Option<Payload>,
    /// Who.
    pub thing: ThingName,
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
    /// The caller does not care how: by a direct message; where the device is not connected, in its shadow if it takes
    /// commands there, else as soon as it is back.
    #[default]
    Auto,
}

/// Not a way to deliver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// One that is still to come.
    #[error("delivery {0:?} is not offered yet: use direct, topic, shadow or auto")]
    NotOffered(String),
    /// None at all.
    #[error("delivery must be direct, topic, shadow or auto: it is {0:?}")]
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
            "broadcast" => Err(DeliveryError::NotOffered(word.to_owned())),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_not_offered_is_not_taken_for_another() {
        for delivery in [Delivery::Direct, Delivery::Topic, Delivery::Shadow, Delivery::Auto] {
            assert_eq!(Delivery::parse(delivery.as_str()), Ok(delivery));
        }
        assert!(Delivery::parse("broadcast").unwrap_err().to_string().contains("not offered yet"));
        assert!(matches!(Delivery::parse("Direct"), Err(DeliveryError::Unknown(_))));
    }
}
