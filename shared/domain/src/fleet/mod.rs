//! A command for many things: whom it means, how it is planned, a batch at a time, how fast it goes out, and how far it has come.
//!
//! - [`Target`], [`Fleet`], [`Selection`], [`FleetQuery`]: whom it means
//! - [`Broadcast`]: one message for all of them
//! - [`Rollout`], [`Canary`], [`Waves`], [`ExponentialRate`], [`Estimate`]: how fast they are asked, and who comes first
//! - [`Schedule`], [`Window`], [`Open`]: when they are asked
//! - [`Abort`], [`Criterion`]: when it is given up
//! - [`Control`]: whether it goes on
//! - [`Plan`], [`Pace`], [`Step`]: how far its target has been read, and how many of it may be out
//! - [`Batch`]: at most a hundred of its things, which go out, are watched and are called off together
//! - [`Cost`]: what it costs on AWS
//! - [`Counts`], [`Tally`], [`Ends`]: how many executions are where
//! - [`FleetState`]: the same in a word

mod abort;
mod batch;
mod broadcast;
mod control;
mod cost;
mod counts;
mod ends;
mod pace;
mod plan;
mod query;
mod quota;
mod rollout;
mod schedule;
mod state;
mod stored;
mod target;

pub use abort::{Abort, AbortAction, AbortError, AbortFailure, AskedCriterion, Criterion};
pub use batch::{Batch, BatchClaim, BatchNumber, Duties, Worked};
pub use broadcast::{Broadcast, BroadcastError, BroadcastRequest};
pub use control::{Control, ControlState, NotControlled};
pub use cost::{Cost, usd};
pub use counts::{Contribution, Counts, CountsError, Folded, SequenceError, SequenceNumber, Tally};
pub use ends::Ends;
pub use pace::{Pace, Seen, Step, Stop};
pub use plan::{Cursor, Plan, Release, Resumed, Walk};
pub use query::{FleetQuery, FleetQueryError};
pub use rollout::{
    AskedCanary, AskedIncrease, AskedRate, AskedRollout, AskedWaves, Assumption, Canary, Estimate, ExponentialRate,
    Gate, Increase, Rollout, RolloutError, Waves,
};
pub use schedule::{Open, Schedule, ScheduleError, Window};
pub use state::FleetState;
pub use stored::StoredError;
pub use target::{Fleet, Selection, Source, Target};
