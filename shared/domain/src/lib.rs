//! Decides. No I/O, no async, no clock, no randomness: they are arguments.
//!
//! What Flaghoist knows about commands, in plain values that can be made, compared and tested without a cloud.
//!
//! # Layout
//!
//! - [`ThingName`], [`CommandName`], [`ShadowName`], [`CommandId`], [`ExecutionId`], [`Timestamp`]: parsed once, right ever after
//! - [`Topic`], [`ResponseTopic`]: every topic string
//! - [`Definition`], [`Deadlines`], [`Payload`], [`Delivery`], [`Command`]: what someone asked for
//! - [`Execution`], [`Progress`], [`Status`], [`DeliveryStatus`], [`Reason`]: one command at one thing
//! - [`Request`], [`Report`]: what is said to a device, and what it says
//! - [`Change`]: what something that happened writes into an execution
//! - [`Due`]: what is owed when an execution's time has come
//! - [`ShadowRoute`], [`ShadowUpdate`], [`ShadowEvent`]: a command in a device's shadow, put there, answered there and withdrawn
//! - [`trim`]: a shadow message becomes the few bytes that a constrained device needs
#![deny(clippy::disallowed_methods, clippy::disallowed_macros)]

mod change;
mod command;
mod deadlines;
mod definition;
mod due;
mod execution;
mod ids;
mod names;
mod payload;
mod progress;
mod report;
mod request;
pub mod shadow;
mod status;
mod timestamp;
mod topic;
pub mod trim;

pub use change::{Change, Fact, Seen};
pub use command::{Command, Fingerprint};
pub use deadlines::{DeadlineError, Deadlines};
pub use definition::{Definition, Delivery, DeliveryError};
pub use due::{Due, SHARDS, due_shard};
pub use execution::{Execution, Key, Outcome, Verdict};
pub use ids::{CommandId, ExecutionId, IdError};
pub use names::{CommandName, NameError, ShadowName, ThingName};
pub use payload::{Payload, PayloadError};
pub use progress::{Attempt, Progress, Rank};
pub use report::{ReasonCode, Report, ReportError, ReportResult, Reported};
pub use request::Request;
pub use shadow::{
    ShadowError, ShadowEvent, ShadowEventError, ShadowReport, ShadowReportError, ShadowReports, ShadowRoute,
    ShadowUpdate, UnknownRoute,
};
pub use status::{DeliveryStatus, Reason, Status, UnknownWord};
pub use timestamp::Timestamp;
pub use topic::{ResponseTopic, Topic, TopicError};
