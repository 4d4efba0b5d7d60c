//! Decides. No I/O, no async, no clock, no randomness: they are arguments.
//!
//! What Flaghoist knows about commands, in plain values that can be made, compared and tested without a cloud.
//!
//! # Layout
//!
//! - [`ThingName`], [`GroupName`], [`CommandName`], [`ShadowName`], [`CommandId`], [`ExecutionId`], [`Timestamp`]: parsed once, right ever after
//! - [`Topic`], [`ResponseTopic`]: every topic string
//! - [`Definition`], [`Deadlines`], [`Payload`], [`Delivery`], [`Command`]: what someone asked for
//! - [`Execution`], [`Progress`], [`Status`], [`DeliveryStatus`], [`Reason`]: one command at one thing
//! - [`Request`], [`CancelNotice`], [`Report`]: what is said to a device, and what it says
//! - [`Change`]: what something that happened writes into an execution, and what the table decides: the state machine
//! - [`Owed`]: what is owed to an execution at a given time
//! - [`Retry`], [`Lane`], [`Queue`]: when it is asked again, and after which others
//! - [`Explanation`]: why an execution is where it is, and what happens next
//! - [`Via`], [`Step`], [`By`]: by which way, when and by whom
//! - [`ShadowRoute`], [`ShadowUpdate`], [`ShadowEvent`]: a command in a device's shadow, put there, answered there and withdrawn
//! - [`fleet`]: one command to many things: whom it means, how it is planned, how fast it goes out, when it stops itself, how far it is
//! - [`trim`]: a shadow message becomes the few bytes that a constrained device needs
#![deny(clippy::disallowed_methods, clippy::disallowed_macros)]

mod change;
mod command;
mod deadlines;
mod definition;
mod ending;
mod execution;
mod explain;
pub mod fleet;
mod ids;
mod lane;
mod names;
mod notice;
mod owed;
mod payload;
mod progress;
mod report;
mod request;
mod retry;
mod sending;
pub mod shadow;
mod status;
mod step;
mod timestamp;
mod topic;
pub mod trim;
mod via;

pub use change::{Change, Claim, DueEntry, Fact, Guard, Reroute, Seen};
pub use command::{Command, Fingerprint};
pub use deadlines::{DeadlineError, Deadlines};
pub use definition::{Definition, Delivery, DeliveryError};
pub use ending::NotCanceled;
pub use execution::{Execution, Key, Outcome, Verdict};
pub use explain::{Explanation, Upcoming, WhatNext};
pub use fleet::{
    Abort, Batch, BatchClaim, BatchNumber, Broadcast, BroadcastError, BroadcastRequest, Contribution, Control,
    ControlState, Counts, Cursor, Ends, Fleet, FleetQuery, FleetQueryError, FleetState, Folded, NotControlled, Pace,
    Plan, Rollout, Schedule, Selection, SequenceNumber, Source, Tally, Target, Walk, Worked,
};
pub use ids::{CommandId, ExecutionId, IdError};
pub use lane::{Lane, LaneName, OnFailure, Queue};
pub use names::{CommandName, GroupName, NameError, ShadowName, ThingName};
pub use notice::CancelNotice;
pub use owed::{FLEET_SHARDS, Owed, SHARDS, due_shard};
pub use payload::{Payload, PayloadError};
pub use progress::{Attempt, Progress, Rank};
pub use report::{ReasonCode, Report, ReportError, ReportPath, ReportResult, Reported};
pub use request::Request;
pub use retry::{Asked, Failure, Retry, RetryError};
pub use shadow::{
    ShadowError, ShadowEvent, ShadowEventError, ShadowReport, ShadowReportError, ShadowReports, ShadowRoute,
    ShadowUpdate, UnknownRoute,
};
pub use status::{DeliveryStatus, Reason, Status, UnknownWord};
pub use step::{By, Step};
pub use timestamp::Timestamp;
pub use topic::{ResponseTopic, Topic, TopicError};
pub use via::{Via, ViaError};
