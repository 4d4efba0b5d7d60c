//! The whole system, as a device and an operator see it: the real binaries on the local stack, with a clock that tests move.

mod bad_input;
mod dialects;
mod expiry;
mod fixtures;
// Its own tests; the simulation in `chaos` is what uses it.
mod history;
mod one_command;
mod openapi;
mod ticks;
mod trimming;
mod twice;
mod wiring;
mod world;
