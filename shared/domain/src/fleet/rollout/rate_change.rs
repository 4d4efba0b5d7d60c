//! `RateChange`: who changed the rate of a rollout last, and when.

use crate::actor::Actor;
use crate::timestamp::Timestamp;

/// The last change of a rollout's rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateChange {
    /// How many times the rate was changed, from 1. A write is on condition that it is one less in the table.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
}
