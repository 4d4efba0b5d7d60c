//! Fleet commands: one command for many things, released in batches by a rollout, counted, and stopped by criteria.
//!
//! - `target`, `selection`, `selection_options`, `query`: which things
//! - `broadcast`, `broadcast_request`: one message for all things
//! - `rollout`, `schedule`: how many things are released, and when
//! - `abort`, `control`, `control_change`: when the command pauses, resumes or is canceled
//! - `rate_control`: when its rate may be changed
//! - `plan`: how far the target is read, and what fan-out does next
//! - `batch`: at most a hundred things that are sent, monitored and canceled together
//! - `counts`, `outcome_counts`: how many executions have which status
//! - `state`: the state of the command, which follows from all of these
//! - `unasked`: how many things have no execution, and whether they still wait for one
//! - `unasked_thing`: whether and when a thing without an execution gets one
//! - `execution_page`: pages of its executions
//! - `stored`: reading stored texts

pub(crate) mod abort;
pub(crate) mod batch;
pub(crate) mod broadcast;
pub(crate) mod broadcast_request;
pub(crate) mod control;
pub(crate) mod control_change;
pub(crate) mod counts;
pub(crate) mod execution_page;
pub(crate) mod outcome_counts;
pub(crate) mod plan;
pub(crate) mod query;
pub(crate) mod rate_control;
pub(crate) mod rollout;
pub(crate) mod schedule;
pub(crate) mod selection;
pub(crate) mod selection_options;
pub(crate) mod state;
pub(crate) mod stored;
pub(crate) mod target;
pub(crate) mod unasked;
pub(crate) mod unasked_thing;

pub use abort::{
    criteria::Abort,
    criterion::Criterion,
    error::AbortError,
    options::CriterionOptions,
    words::{AbortAction, AbortFailure},
};
pub use batch::{
    actions::BatchActions,
    monitor::ExecutionCheck,
    progress::BatchProgress,
    row::{Batch, BatchClaim},
};
pub use broadcast::{Broadcast, BroadcastError, Listeners, SharedTopic};
pub use broadcast_request::BroadcastRequest;
pub use control::{Control, ControlError, ControlState};
pub use counts::{
    contribution::Contribution,
    sequence_number::{SequenceError, SequenceNumber},
    shard_counts::{CountChange, ShardCounts},
    stored::CountsError,
    totals::Counts,
};
pub use execution_page::{ExecutionPage, PagePosition, PageScan};
pub use outcome_counts::OutcomeCounts;
pub use plan::{
    broadcast::BroadcastReadiness,
    next_action::PlanAction,
    row::{ControlPropagation, Cursor, Plan, ReleasePosition, ResumePoint},
};
pub use query::{FleetQuery, FleetQueryError};
pub use rate_control::{RateChange, RateChangeError};
pub use rollout::{
    config::Rollout,
    duration::{Assumption, Estimate},
    error::RolloutError,
    gate::Gate,
    halt::RolloutHalt,
    new_rate::NewRate,
    options::{CanaryOptions, IncreaseOptions, RateOptions, RolloutOptions, WavesOptions},
    progress::{RolloutProgress, RolloutStep},
    rate::{ExponentialRate, Increase},
    snapshot::RolloutSnapshot,
    stages::{Canary, Waves},
    step_wakes::StepWakes,
};
pub use schedule::{config::Schedule, error::ScheduleError, opening::Opening, window::Window};
pub use selection::{Selection, Source};
pub use selection_options::{SelectionError, SelectionNames, SelectionOptions};
pub use state::FleetState;
pub use stored::StoredError;
pub use target::{Fleet, Target};
pub use unasked::UnaskedThings;
pub use unasked_thing::{NotAskedReason, UnaskedThing};
