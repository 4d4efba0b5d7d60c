//! Does. The tables, topics, direct messages. AWS types stop here.
//!
//! # Layout
//!
//! - [`Connection`]: how AWS is reached; every client is made from it, once
//! - [`Commands`], [`Executions`]: the two tables; every write is conditional
//! - [`Messages`]: what is sent to devices
//! - [`Queue`]: what is handed back later
//! - [`Error`]: which operation on what failed, and whether a retry may help
mod commands;
mod connection;
mod error;
mod executions;
mod item;
mod messages;
mod queue;
mod table;
mod update;

pub use commands::Commands;
pub use connection::Connection;
pub use error::{Error, Kind};
pub use executions::{Executions, Page};
pub use messages::{Acknowledgement, Messages};
pub use queue::{Delayed, Queue};
pub use table::{Advanced, Put};
