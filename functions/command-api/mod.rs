//! The HTTP API: create commands, pause, resume and cancel them, change their rate, read them and their executions.

mod cancel;
mod change_body;
mod context;
mod create;
mod create_body;
mod fields;
mod fleet;
mod handler;
mod history;
mod known_things;
mod page;
mod problem;
mod problem_sources;
mod read;
mod request;
mod response;
mod route;
mod stored_command;
mod view;
mod wait;

pub use context::ApiContext;
pub use handler::handle;
pub use response::Response;

#[cfg(test)]
mod tests;
