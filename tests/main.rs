//! The whole system, as a device and an operator see it: the real binaries on the local stack, with a clock that tests move.

mod auto;
mod bad_input;
mod bad_reports;
mod costs;
mod crash;
mod dialects;
mod expiry;
mod fixtures;
mod fleet;
mod history;
mod life;
mod one_command;
mod openapi;
mod reconcile;
mod registry;
mod robot;
mod shadow;
mod table_condition;
mod ticks;
mod trimming;
mod twice;
mod two_days;
mod way;
mod wiring;
mod witness;
mod world;
