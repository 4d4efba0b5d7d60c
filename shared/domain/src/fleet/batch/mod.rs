//! Batches of a fleet command: at most a hundred things whose executions are sent, monitored and canceled together.
//!
//! A plain execution of a fleet has no entry in the due index: its batch has one for all of its executions, which costs
//! a hundredth.
//!
//! - [`row`]: `Batch`, the stored item; [`release`]: how many of its things are released, and waking the dispatcher
//! - [`claim`]: how one invocation claims it; [`actions`]: what that invocation does; [`progress`]: what it writes
//!   afterwards
//! - [`monitor`]: when its executions are looked at again

pub(crate) mod actions;
pub(crate) mod claim;
pub(crate) mod monitor;
pub(crate) mod progress;
pub(crate) mod release;
pub(crate) mod row;
#[cfg(test)]
mod tests;
