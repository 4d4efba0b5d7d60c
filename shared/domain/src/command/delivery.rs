//! The delivery of a command: by direct message, topic, shadow or broadcast.

/// How a request reaches its device, as the caller asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// A direct message, which the device's PUBACK confirms.
    Direct,
    /// A message on the request topic of the thing. AWS IoT stores it for a device with a persistent session.
    Topic,
    /// An entry in a shadow of the thing.
    Shadow,
    /// One message for a whole fleet.
    Broadcast,
    /// A direct message; where the device is not connected, an entry in its shadow if it takes commands there, else a
    /// direct message as soon as the device comes online.
    #[default]
    Auto,
}

/// Why a word is not a delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The word, at most 64 characters of it.
    #[error("delivery must be direct, topic, shadow, auto or broadcast: it is {0:?}")]
    Unknown(String),
}

impl Delivery {
    /// Parses the word of the API.
    ///
    /// # Errors
    /// [`DeliveryError::Unknown`] for any other word.
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

    /// The word of the API.
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
    fn every_delivery_is_parsed_back() {
        use Delivery::{Auto, Broadcast, Direct, Shadow, Topic};
        for delivery in [Direct, Topic, Shadow, Auto, Broadcast] {
            assert_eq!(Delivery::parse(delivery.as_str()), Ok(delivery));
        }
        assert!(matches!(Delivery::parse("Direct"), Err(DeliveryError::Unknown(_))));
    }
}
