//! A model check of the transitions: every order in which reports, ticks, crashes and people can act, and what holds in all of them.
//!
//! Nothing of what is checked is written down again here: rows, changes, requests, reports, queues and shadow updates are the crate's own.
//! What surrounds them is: a table that writes on condition, a shadow service, devices, handlers that may die between any two calls,
//! and a clock.
//!
//! - [`scenario`]: what is asked for, and what may go wrong
//! - [`world`]: everything that there is at one time
//! - [`action`]: everything that can happen next
//! - [`handler`]: the functions, one outside call after the other; [`delivering`], [`concluding`]: two of their errands
//! - [`device`], [`shadow`], [`wishes`]: what is at the other end
//! - [`rules`]: what no change may do, and what holds at any time
//! - [`single`], [`pair`], [`shadows`], [`lanes`]: the checks
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod action;
mod concluding;
mod delivering;
mod device;
mod handler;
mod rules;
mod scenario;
mod shadow;
mod wishes;
mod world;

mod lanes;
mod pair;
mod shadows;
mod single;
