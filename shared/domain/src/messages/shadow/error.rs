//! Why a command can't be written to a shadow, or removed from it.

use crate::messages::shadow::limits::{MAX_BYTES, MAX_LEVELS};

/// Why a command can't be written to a shadow, or removed from it, and what is accepted instead. A retry does not help.
#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    /// The payload holds a number out of range, or is nested without limit.
    #[error("a shadow can't hold this payload")]
    Payload(#[source] serde_json::Error),
    /// The request is raw, or for a topic of the caller's choice.
    #[error("a raw request, or one for a topic of its own, is a message: no shadow can carry it")]
    Message,
    /// The payload of a desired state is not an object with attributes.
    #[error(r#"the payload of a desired state is its attributes: an object with at least one, as in {{"light":"on"}}"#)]
    NotAttributes,
    /// A desired state sets the member in which the shadow holds commands: it would overwrite them.
    #[error("{shadow} holds commands in its member {member}: a desired state may not set it")]
    CommandMember {
        /// The shadow, as in `the classic shadow`.
        shadow: String,
        /// The member.
        member: &'static str,
    },
    /// The payload holds null, which removes a member of a shadow.
    #[error("a shadow can't hold null: leave {at} of the payload out, or give it another value")]
    Null {
        /// The JSON pointer of the null.
        at: String,
    },
    /// The payload is nested deeper than AWS IoT allows.
    #[error(
        "a payload in this dialect may nest {max} levels of objects and arrays, so that the shadow \
         has no more than {MAX_LEVELS}: it nests {found}"
    )]
    TooDeep {
        /// The levels of the shadow that the dialect leaves to the payload.
        max: usize,
        /// The levels of the payload.
        found: usize,
    },
    /// The command needs more bytes than a shadow holds.
    #[error(
        "a shadow holds {MAX_BYTES} bytes: with this command, and the device's report of it, it \
         would have {found} or more"
    )]
    TooLarge {
        /// The bytes that the command and the device's report of it need.
        found: usize,
    },
    /// The document that was read is not a shadow document.
    #[error("not a shadow document")]
    Document(#[source] serde_json::Error),
    /// The update can't be serialised.
    #[error("the shadow update can't be serialised")]
    Update(#[source] serde_json::Error),
}
