//! The HTTP API: create a command, read it and its executions.
mod body;
mod cancel;
mod create;
mod handler;
mod http;
mod problem;
mod read;
mod view;

pub use handler::handle;
pub use http::Response;

#[cfg(test)]
mod tests;
