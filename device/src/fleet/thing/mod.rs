//! One simulated thing: the reference agent, with the faults of its script put between the agent and the broker.
//!
//! | module | holds |
//! |---|---|
//! | `settings` | what the fleet decides about the thing |
//! | `state` | the thing's state |
//! | `task` | what a thing does later, at a time of the clock |
//! | `publishing` | sends messages, unless they are lost |
//! | `actions` | does what the agent decides, as the script says |
//! | `connection` | connects, disconnects, loses power |
//! | `events` | handles the events of the connection |
//! | `timed_tasks` | does the tasks that are due |
//! | `run` | the thing's loop |

mod actions;
mod connection;
mod events;
mod publishing;
pub(super) mod run;
pub(super) mod settings;
mod state;
mod task;
#[cfg(test)]
mod tests;
mod timed_tasks;
