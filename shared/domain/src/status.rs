//! The words of an execution's life, exactly as they are stored, sent and shown.

use std::fmt;

/// A stored word that is not one of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a {what}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one that this word says.
            pub fn parse(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(UnknownWord { what: $what, word: word.chars().take(64).collect() }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How far an execution has come: the six of AWS IoT Commands, and CANCELED.
    Status, "status" {
        /// Stored, and perhaps delivered; the device has not begun.
        Created = "CREATED",
        /// The device has begun.
        InProgress = "IN_PROGRESS",
        /// The device has done it.
        Succeeded = "SUCCEEDED",
        /// The device could not do it.
        Failed = "FAILED",
        /// The device would not do it.
        Rejected = "REJECTED",
        /// Nobody waits any more: the cloud's guess or the device's word.
        TimedOut = "TIMED_OUT",
        /// It was called off.
        Canceled = "CANCELED",
    }
}

words! {
    /// How far the request has come on its way to the device.
    DeliveryStatus, "delivery status" {
        /// Not sent yet.
        Pending = "PENDING",
        /// The device is not connected; it waits here.
        Queued = "QUEUED",
        /// Published; nobody knows whether it has arrived.
        Sent = "SENT",
        /// The device has it: it acknowledged the message, or it answered.
        Delivered = "DELIVERED",
    }
}

words! {
    /// Why the cloud gave an execution up. A device has its own reasons: [`crate::ReasonCode`].
    Reason, "reason" {
        /// It did not go out within its ttl.
        Expired = "EXPIRED",
        /// It went out, and nothing was heard.
        NoResponse = "NO_RESPONSE",
        /// It ran, and then fell silent.
        HeartbeatLost = "HEARTBEAT_LOST",
        /// It had not finished within its timeout.
        ExecutionTimeout = "EXECUTION_TIMEOUT",
        /// Someone called it off.
        CanceledByOperator = "CANCELED_BY_OPERATOR",
        /// A newer command took its place.
        Superseded = "SUPERSEDED",
        /// Too many others had failed.
        AbortCriteria = "ABORT_CRITERIA",
        /// The device was not there.
        DeviceOffline = "DEVICE_OFFLINE",
        /// An earlier command of its lane was under way for as long as it could have begun.
        LaneBusy = "LANE_BUSY",
        /// An earlier command of its lane did not succeed, and the lane stops then.
        LaneStopped = "LANE_STOPPED",
    }
}

impl Reason {
    /// The status that an execution has for this reason.
    pub const fn status(self) -> Status {
        match self {
            Self::CanceledByOperator | Self::Superseded | Self::AbortCriteria | Self::LaneStopped => Status::Canceled,
            _ => Status::TimedOut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for &status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Ok(status));
        }
        for &delivery in DeliveryStatus::ALL {
            assert_eq!(DeliveryStatus::parse(delivery.as_str()), Ok(delivery));
        }
        for &reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Ok(reason));
        }
        assert_eq!(Status::parse("SUCCESS").unwrap_err().to_string(), "\"SUCCESS\" is not a status");
    }
}
