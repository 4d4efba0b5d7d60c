//! Every decision of Flaghoist as plain functions: no I/O, no async, no clock, no randomness.
//!
//! Times and tokens are arguments, so each decision can be computed and tested without a cloud.
//!
//! # Layout
//!
//! - `ids`, `names`, `topic`, `request_topic`, `timestamp`, `status`, `actor`: values that are validated once, when they are parsed
//! - `command`: what an operator asked for: [`Command`], [`Definition`], [`Deadlines`], [`Retry`], [`Lane`]
//! - `execution`: one command on one thing: its row [`Execution`], and its state machine. A [`Change`] is one
//!   conditional write; [`NextAction`] says what a row needs done; [`LaneQueue`] orders the executions of a thing;
//!   [`Explanation`] and [`TimelineEntry`] describe an execution to an operator
//! - `messages`: [`Request`] and [`CancelNotice`] to a device, [`Report`] from it, and both through a shadow
//!   ([`ShadowRoute`])
//! - [`fleet`]: a command with many targets: plan, rollout, schedule, batches, counts and abort criteria
//! - [`wake`]: messages that say what is due, and when
//! - [`trim`]: shortens shadow messages for constrained devices
#![deny(clippy::disallowed_methods, clippy::disallowed_macros)]

mod actor;
mod command;
mod execution;
pub mod fleet;
mod ids;
mod jitter;
mod messages;
mod names;
mod request_topic;
mod status;
mod timestamp;
mod topic;
pub mod trim;
pub mod wake;

pub use actor::Actor;
pub use command::{
    audit::{AuditAction, AuditEntry, WhyError},
    consistency::DefinitionError,
    deadlines::{DeadlineError, Deadlines},
    definition::Definition,
    delivery::{Delivery, DeliveryError},
    failure::AttemptFailure,
    fingerprint::Fingerprint,
    idempotency_key::{IdempotencyKey, IdempotencyKeyError},
    lane::{Lane, LaneName, OnFailure},
    payload::{Payload, PayloadError},
    raw_payload::{RawPayload, RawPayloadError},
    request_form::RequestForm,
    retry::{Retry, RetryError, RetryOptions},
    row::Command,
};
pub use execution::{
    attempt_steps::AttemptSteps,
    cancel::{CancelError, ConfirmError},
    change::{Change, Claim, Condition, DueEntry, Effect, Reroute, Snapshot},
    channel::{Channel, UnknownChannel},
    channel_check::ChannelError,
    creator_token::CreatorToken,
    due_index::{DueShards, FLEET_SHARDS},
    explain::{Explanation, Upcoming, WhatNext},
    history::HistoryEntry,
    interim_report::InterimReport,
    key::Key,
    lane::{HeadAction, LaneCancel, LaneClaim, LaneQueue, settlement::LaneSettlement},
    newest_first::NewestFirst,
    next_action::NextAction,
    online::OnlineAction,
    progress::{Attempt, Progress, Rank},
    progress_event::ExecutionSummary,
    row::{AttemptEnd, Execution, Outcome, Verdict},
    shadow_expiry::{SHADOW_CUT_SECONDS, seconds_in_shadow},
    timeline::{TimelineEntry, TimelineEvent},
};
pub use fleet::{
    Abort, Batch, BatchClaim, BatchProgress, Broadcast, BroadcastError, BroadcastRequest, Contribution, Control,
    ControlError, ControlPropagation, ControlState, CountChange, Counts, Cursor, Fleet, FleetQuery, FleetQueryError,
    FleetState, OutcomeCounts, Plan, Rollout, RolloutProgress, Schedule, Selection, SequenceNumber, ShardCounts,
    Source, Target,
};
pub use ids::{BatchNumber, CommandId, ExecutionId, IdError};
pub use messages::{
    cancel_notice::CancelNotice,
    report::{
        channel::ReportChannel,
        device_report::Report,
        echo::{EchoMatch, RawRequests, RequestDigest},
        error::ReportError,
        reason_code::ReasonCode,
        reported_status::ReportedStatus,
        result::ReportResult,
        unusable::{UnusableReport, UnusableReports},
    },
    request::Request,
    shadow::{
        desired_state::{desired_state_reached, desired_states_overlap},
        error::ShadowError,
        event::{ShadowEvent, ShadowEventError},
        presence::{Presence, PresenceError},
        refusal::ShadowRefusal,
        reports::{ShadowReport, ShadowReportError, ShadowReports},
        route::{ShadowRoute, ShadowRouteError},
        update::ShadowUpdate,
    },
};
pub use names::{CommandName, GroupName, NameError, ShadowName, ThingName};
pub use request_topic::{RequestTopic, RequestTopicError, RequestTopics};
pub use status::{DeliveryStatus, Reason, Status, UnknownWord};
pub use timestamp::Timestamp;
pub use topic::{ResponseTopic, Topic, TopicError};
pub use wake::{ShardRun, Wake, WakeError};
