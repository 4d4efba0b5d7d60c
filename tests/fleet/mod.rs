//! One command to many things.

mod abort;
mod changing;
mod costs;
mod counts;
mod crashes;
mod one_fleet;
mod recount;
