//! The device side of Flaghoist: a reference agent, and a simulated fleet of agents.
//!
//! | module | holds |
//! |---|---|
//! | [`agent`] | the decisions of a device about commands: no I/O, no clock, no randomness |
//! | [`client`] | a reference device: an agent, an MQTT connection, a memory file, handlers |
//! | [`handlers`] | what a device does for each command |
//! | [`cancellation`] | how a running handler learns that its command was canceled |
//! | [`link`] | one MQTT connection: persistent session, reconnects with backoff |
//! | [`tls`] | mutual TLS from PEM files |
//! | [`memory_file`] | an agent's snapshot in a file |
//! | [`clock`] | the clock that devices read |
//! | [`open_files`] | the process's limit on open files |
//! | [`fleet`] | many simulated things in one process, each with a scripted behaviour |
//!
//! This crate shares no code with the cloud side: a bug in shared code would be invisible to both.

pub mod agent;
pub mod cancellation;
pub mod client;
pub mod clock;
pub mod fleet;
pub mod handlers;
pub mod link;
pub mod memory_file;
pub mod open_files;
mod random;
pub mod tls;
