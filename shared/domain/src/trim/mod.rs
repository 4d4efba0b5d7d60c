//! Trims shadow messages to the few bytes that a constrained device needs.
//!
//! Metadata, timestamps and expired commands are removed. `state`, `version` and `clientToken` are kept, `state` byte
//! for byte as it came. A message is never parsed into a tree: the members that are kept are borrowed from its text,
//! and the others are skipped.
//!
//! Message shapes: AWS IoT Developer Guide, "Device Shadow service documents".

pub(crate) mod allow_list;
pub(crate) mod answer;
pub(crate) mod expired;
pub(crate) mod members;
pub(crate) mod message;
pub(crate) mod options;
pub(crate) mod outcome;
pub(crate) mod scan;

pub use allow_list::{AllowList, AllowListError};
pub use answer::{is_answer_late, trim_answer};
pub use message::trim_message;
pub use options::{ShadowMessageKind, TrimOptions};
pub use outcome::{TrimError, TrimOutcome};

#[cfg(test)]
mod tests;
