//! One command to many things: what follows for a fleet from what is true of each.

mod counts;
mod ends;

pub use counts::{Batches, Contribution, Counts, CountsError, Folded, SequenceError, SequenceNumber, Tally};
pub use ends::Ends;
