//! A command for many things: whom it means, how it is planned, a batch at a time, and how far it has come.
//!
//! - [`Target`], [`Fleet`], [`Selection`], [`FleetQuery`]: whom it means
//! - [`Broadcast`]: one message for all of them
//! - [`Control`]: whether it goes on
//! - [`Plan`]: how far its target has been read
//! - [`Batch`]: at most a hundred of its things, which go out, are watched and are called off together

mod batch;
mod broadcast;
mod control;
mod plan;
mod query;
mod target;

pub use batch::{Batch, BatchClaim, BatchNumber, Worked};
pub use broadcast::{Broadcast, BroadcastError, BroadcastRequest};
pub use control::{Control, ControlState, NotControlled};
pub use plan::{Cursor, Plan, Walk};
pub use query::FleetQuery;
pub use target::{Fleet, Selection, Source, Target};
