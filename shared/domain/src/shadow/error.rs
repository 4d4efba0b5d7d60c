//! Why a command can't be put into a shadow, or taken out again.

use super::limits;

/// What is wrong, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    /// The payload is JSON, but has a number that nobody can hold or is nested without end.
    #[error("a shadow can't hold this payload")]
    Payload(#[source] serde_json::Error),
    /// State control without a state.
    #[error(r#"the payload of a wanted state is its attributes: an object with at least one, as in {{"light":"on"}}"#)]
    NotAttributes,
    /// A shadow takes null for "remove this".
    #[error("a shadow can't hold null: leave {at} of the payload out, or give it another value")]
    Null {
        /// Where, as a JSON pointer.
        at: String,
    },
    /// Nested deeper than AWS IoT allows.
    #[error("a payload in this dialect may nest {most} levels of objects and arrays, so that the shadow has no more than {all}: it nests {found}", all = limits::LEVELS)]
    TooDeep {
        /// What is left of the shadow's levels.
        most: usize,
        /// What there is.
        found: usize,
    },
    /// More than a shadow holds.
    #[error("a shadow holds {all} bytes: with this command, and the device's answer to it, it would have {found} or more", all = limits::BYTES)]
    TooLarge {
        /// In bytes.
        found: usize,
    },
    /// What was read is not a shadow's document.
    #[error("not a shadow document")]
    Document(#[source] serde_json::Error),
    /// What is to be written can't be.
    #[error("the update can't be written")]
    Update(#[source] serde_json::Error),
}
