//! Abort criteria of a fleet command: with how many failures it pauses or cancels itself.
//!
//! - [`criteria`]: `Abort`, the list of criteria; [`criterion`]: one of them; [`words`]: its failure type and its
//!   action
//! - [`options`], [`error`]: criteria as callers write them, and refused ones
//! - [`control`]: the change of control that follows from the counts

pub(crate) mod control;
pub(crate) mod criteria;
pub(crate) mod criterion;
pub(crate) mod error;
pub(crate) mod options;
#[cfg(test)]
mod tests;
pub(crate) mod words;
