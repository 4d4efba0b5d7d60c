//! One command to many things.

mod bad_input;
mod control;
mod dry_run;
mod abort;
mod changing;
mod costs;
mod counts;
mod crashes;
mod one_fleet;
mod recount;
