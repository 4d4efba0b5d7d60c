//! Decides. No I/O, no async, no clock, no randomness: they are arguments.
pub mod trim;
