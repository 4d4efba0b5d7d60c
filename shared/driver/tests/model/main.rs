//! A model check of the driver: all orders of reports, reconciler ticks, crashes and cancels.
//!
//! The checked code is production's own: the decisions of `domain`, and the sequences of calls of `driver`. The model
//! surrounds them with a table that writes on condition, a shadow service, devices, a clock, and handlers that may crash
//! between any two calls.
//!
//! - [`scenario`]: the commands of a check, and the faults that may happen
//! - [`event`]: what the functions ask the driver to do; [`call`]: the driver's calls as data
//! - [`replay`], [`node`]: runs the driver over the answers that a handler was given, once for each handler
//! - [`world`]: the state of everything at one time; [`messages`]: messages on their way
//! - [`action`]: everything that can happen next; [`apply`], [`answers`], [`shadow_writes`]: its effect
//! - [`check`]: the search
//! - [`device`], [`shadow`], [`desired_states`]: the other end
//! - [`change_rules`], [`send_rules`], [`report_rules`], [`cancel_rules`], [`wake_rules`], [`world_rules`]: what must
//!   hold
//! - [`single`], [`pair`], [`shadows`], [`lanes`], [`mixed`]: the checks
#![allow(missing_docs)]

mod action;
mod answers;
mod apply;
mod call;
mod cancel_rules;
mod change_rules;
mod check;
mod desired_states;
mod device;
mod event;
mod messages;
mod node;
mod replay;
mod report_rules;
mod scenario;
mod send_rules;
mod shadow;
mod shadow_writes;
mod wake_rules;
mod world;
mod world_rules;

mod echoes;
mod faults;
mod lanes;
mod mixed;
mod pair;
mod reconnects;
mod requests;
mod shadows;
mod single;
mod wakes;
