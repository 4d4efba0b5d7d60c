//! One command to many things.

mod bad_input;
mod control;
mod dry_run;
mod one_fleet;
