//! `Opening`: whether a schedule allows requests at a given time.

use crate::timestamp::Timestamp;

/// Whether requests may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// They may be sent now.
    Now {
        /// The first instant at which they may not; none if there is no end.
        until: Option<Timestamp>,
    },
    /// They may be sent from this instant on.
    At(Timestamp),
    /// They may not be sent at any later time.
    Never,
}
