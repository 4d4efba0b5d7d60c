//! What the functions share around their decisions.
//!
//! - [`clients`], [`config`], [`request_topics`]: the AWS clients and the settings, from the environment
//! - [`event_clock`]: the time of the event, plus the time since its handling began
//! - [`event_calls`]: the calls of the driver over the clients, for one event
//! - [`conflict`]: the waits between the tries of a conditional write that is lost
//! - [`stream_event`]: a batch of records of a DynamoDB stream, and the response to it
//! - [`handler_error`]: how an invocation fails, and the text of an error with its causes
//! - [`metrics`]: the log, and the lines of it that CloudWatch counts
//! - [`command_progress`], [`published`]: the progress of a command, as JSON and as the event on its topic
//! - [`audit_view`]: the audit trail of a command as JSON
//! - [`wakes`]: delayed messages that say what is due; `wake_requests`: several of them in one request
//! - [`time_format`]: instants as RFC 3339

pub mod audit_view;
pub mod clients;
pub mod command_progress;
pub mod config;
pub mod conflict;
pub mod event_calls;
pub mod event_clock;
pub mod handler_error;
pub mod metrics;
pub mod published;
pub mod request_topics;
pub mod stream_event;
pub mod time_format;
mod wake_requests;
pub mod wakes;
