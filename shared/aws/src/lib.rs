//! Does. The tables, topics, direct messages. AWS types stop here.
//!
//! # Layout
//!
//! - [`Connection`]: how AWS is reached; every client is made from it, once
//! - [`Commands`], [`Executions`]: the two tables; every write is conditional
//! - [`Fleets`]: plans, batches and lists of names, in the table of commands
//! - [`Tallies`]: their counts, beside them; [`Changed`], [`folded`]: what a table's stream says
//! - [`Lanes`]: who is next, in the table of executions
//! - [`Messages`], [`Shadows`]: what is sent to devices, and who of them is there
//! - [`Registry`]: which things are in a group, and which a query finds
//! - [`Queue`]: what is handed back later
//! - [`Error`]: which operation on what failed, and whether a retry may help
mod commands;
mod connection;
mod delete;
mod error;
mod executions;
mod fleets;
mod item;
mod lanes;
mod messages;
mod queue;
mod registry;
mod shadows;
mod stream;
mod table;
mod tallies;
mod update;
mod write;

pub use commands::Commands;
pub use connection::Connection;
pub use error::{Error, Kind};
pub use executions::{Executions, Page};
pub use fleets::{DueFleet, Fleets, List};
pub use lanes::{Entered, Lanes};
pub use messages::{Acknowledgement, Messages};
pub use queue::{Delayed, Queue};
pub use registry::{Listed, Registry, ThingPage};
pub use shadows::{Shadows, Updated};
pub use stream::Changed;
pub use table::{Advanced, Put};
pub use tallies::{Shard, Tallies, folded};
