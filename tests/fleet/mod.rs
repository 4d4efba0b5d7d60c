//! One command to many things.

mod one_fleet;
mod operator;
mod rollout;
