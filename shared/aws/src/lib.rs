//! Reads and writes the tables, sends the messages, and stops every type of the AWS SDKs here.
//!
//! - [`Connection`]: makes the clients, once for each process
//! - [`Commands`], [`Executions`], [`Lanes`], [`Fleets`], [`CountsTable`],
//!   [`RawRequestsTable`], [`UnusableReportsTable`]: the items of the two tables; every write is conditional
//! - [`DuePage`]: a page of a due index
//! - [`ChangedItem`], [`count_change`], [`ExecutionChange`]: the records of the tables' streams
//! - [`Messages`], [`Shadows`]: what is sent to devices, and whether they are connected
//! - [`Registry`]: the things of a group or a fleet query
//! - [`Queue`]: an SQS queue with delayed messages
//!
//! Outcomes, such as [`WriteOutcome`], and [`Error`] are those of the crate `calls`.

mod commands;
mod connection;
mod count_change;
mod counts;
mod delete;
mod due;
mod error;
mod execution_change;
mod executions;
mod fleets;
mod iot_operation;
mod item;
mod lanes;
mod lease;
mod messages;
mod name_lists;
mod page;
mod queries;
mod queue;
mod raw_requests;
mod registry;
mod shadows;
mod stream;
mod unusable_reports;
mod update;
mod write;

pub use calls::{Acknowledgement, Error, Kind, LaneEntry, Page, PutOutcome, ShadowWriteOutcome, WriteOutcome};
pub use commands::Commands;
pub use connection::Connection;
pub use count_change::count_change;
pub use counts::{CountTotals, CountsTable, Shard};
pub use due::{Due, DueCursor, DueFleet, DuePage};
pub use execution_change::ExecutionChange;
pub use executions::Executions;
pub use fleets::Fleets;
pub use lanes::Lanes;
pub use lease::Lease;
pub use messages::{DeviceConnection, Messages};
pub use name_lists::List;
pub use queue::{Delayed, Queue};
pub use raw_requests::RawRequestsTable;
pub use registry::{Listed, Registry, ThingPage};
pub use shadows::Shadows;
pub use stream::ChangedItem;
pub use unusable_reports::UnusableReportsTable;
