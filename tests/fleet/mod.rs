//! One command to many things.

mod broadcast;
mod one_fleet;
mod operator;
mod pause;
mod rollout;
mod schedule;
mod silence;
