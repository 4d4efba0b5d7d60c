//! One command to many things.

mod abort;
mod bad_input;
mod broadcast;
mod changing;
mod control;
mod costs;
mod counts;
mod crashes;
mod dry_run;
mod memory;
mod one_fleet;
mod operator;
mod pause;
mod progress;
mod recount;
mod rollout;
mod schedule;
mod silence;
mod targets;
mod ten_thousand;
