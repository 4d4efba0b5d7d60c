//! Plan of a fleet command: how far its target has been read into batches, and what fan-out does next.
//!
//! - [`row`]: `Plan`, the stored item; [`due`]: its entry in the due index
//! - [`reading`]: reading the target page by page; [`propagation`]: pause, resume and cancel reach the batches
//! - [`release`]: releasing things by the rollout; [`broadcast`]: the one message of a broadcast
//! - [`next_action`]: which of these is done next

pub(crate) mod broadcast;
pub(crate) mod due;
pub(crate) mod next_action;
pub(crate) mod propagation;
pub(crate) mod reading;
pub(crate) mod release;
pub(crate) mod row;
#[cfg(test)]
mod tests;
