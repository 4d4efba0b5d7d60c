//! The HTTP API: create a command, call it off, read it and its executions.

mod body;
mod cancel;
mod create;
mod fields;
mod fleet;
mod handler;
mod history;
mod http;
mod problem;
mod read;
mod view;

pub use handler::{Site, handle};
pub use http::Response;

#[cfg(test)]
mod tests;
