//! A model check of the state machine: all orders of reports, reconciler ticks, crashes and cancels.
//!
//! The checked code is the crate's own: rows, changes, requests, reports, lane queues and shadow updates. The model
//! surrounds it with a table that writes on condition, a shadow service, devices, handlers that may crash between any
//! two calls, and a clock.
//!
//! - [`scenario`]: the commands of a check, and the faults that may happen
//! - [`world`]: the state of everything at one time; [`messages`]: messages on their way
//! - [`action`]: everything that can happen next; [`apply`]: its effect; [`check`]: the search
//! - [`handler`]: the functions, one outside [`call`] after another; [`report_calls`], [`send_calls`], [`lane_calls`],
//! - [`device`], [`shadow`], [`desired_states`]: the other end
//! - [`change_rules`], [`send_rules`], [`world_rules`]: what must hold
//! - [`single`], [`pair`], [`shadows`], [`lanes`]: the checks
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod action;
mod apply;
mod call;
mod change_rules;
mod check;
mod cleanup_calls;
mod desired_states;
mod device;
mod handler;
mod lane_calls;
mod messages;
mod report_calls;
mod scenario;
mod send_calls;
mod send_rules;
mod shadow;
mod world;
mod world_rules;

mod lanes;
mod pair;
mod shadows;
mod single;
