//! Status, delivery status and reason of an execution, with the words that the table and the API hold.

use std::fmt;

/// Why a stored word is not a status, delivery status or reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a {kind}")]
pub struct UnknownWord {
    kind: &'static str,
    word: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $kind:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All values, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word that is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Parses a stored word.
            ///
            /// # Errors
            /// [`UnknownWord`] for any other word.
            pub fn parse(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(UnknownWord { kind: $kind, word: word.chars().take(64).collect() }),
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
    /// The status of an execution: the six of AWS IoT Commands, and CANCELED.
    Status, "status" {
        /// Stored, and perhaps delivered; the device has not started it.
        Created = "CREATED",
        /// The device runs it.
        InProgress = "IN_PROGRESS",
        /// The device reported success.
        Succeeded = "SUCCEEDED",
        /// The device reported that it failed.
        Failed = "FAILED",
        /// The device reported that it refuses the command.
        Rejected = "REJECTED",
        /// A deadline has passed (provisional), or the device reported that it gave up (final).
        TimedOut = "TIMED_OUT",
        /// Canceled by an operator, by its lane or by its fleet command (provisional).
        Canceled = "CANCELED",
    }
}

words! {
    /// How far the request of the current attempt has come.
    DeliveryStatus, "delivery status" {
        /// Not sent yet.
        Pending = "PENDING",
        /// The device is not connected; the request is sent when the device comes online.
        Queued = "QUEUED",
        /// Published, with no proof that it has arrived.
        Sent = "SENT",
        /// The device has the request: it acknowledged the message, or sent a report.
        Delivered = "DELIVERED",
    }
}

words! {
    /// Why the cloud ended an execution. A device has reasons of its own:
    /// [`ReasonCode`](crate::messages::report::reason_code::ReasonCode).
    Reason, "reason" {
        /// The ttl passed before the request was sent.
        Expired = "EXPIRED",
        /// The request was sent, and no report came within the ttl.
        NoResponse = "NO_RESPONSE",
        /// The device ran it, and then its heartbeats stopped.
        HeartbeatLost = "HEARTBEAT_LOST",
        /// The device did not finish within the timeout.
        ExecutionTimeout = "EXECUTION_TIMEOUT",
        /// An operator canceled it.
        CanceledByOperator = "CANCELED_BY_OPERATOR",
        /// A newer command of the same lane replaced it.
        Superseded = "SUPERSEDED",
        /// Its fleet command met one of its abort criteria.
        AbortCriteria = "ABORT_CRITERIA",
        /// The ttl passed while an earlier command of its lane was in progress.
        LaneBusy = "LANE_BUSY",
        /// An earlier command of its lane did not succeed, and the lane stops on failure.
        LaneStopped = "LANE_STOPPED",
    }
}

impl Reason {
    /// The provisional status that this reason gives: CANCELED or TIMED_OUT.
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
    fn every_word_is_parsed_back() {
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
