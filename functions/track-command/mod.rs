//! track-command: applies what devices report, in messages and in shadows, to their executions.
mod echo;
mod event;
mod handler;
mod message_report;
mod shadow_reports;
mod unusable;

pub use handler::handle;
