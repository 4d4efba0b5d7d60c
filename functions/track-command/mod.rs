//! track-command: applies what devices report, in messages and in shadows, to their executions.
mod apply;
mod desired_state;
mod event;
mod finish;
mod handler;
mod message_report;
mod outcome;
mod shadow_reports;
mod unusable;

pub use handler::handle;
