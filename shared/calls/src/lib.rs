//! What the driver does outside of itself, as one trait: reads and conditional writes of the tables, messages, shadows,
//! and what differs each time it runs, time and chance.
//!
//! - [`Calls`]: the calls. `runtime` implements it with the clients of AWS; the driver's model check with recorded answers
//! - [`WriteOutcome`], [`PutOutcome`], [`LaneEntry`], [`ShadowWriteOutcome`], [`Acknowledgement`]: the outcomes of calls
//! - [`Page`]: some executions
//! - [`Error`]: a failed operation, and whether a retry may help
//! - [`LostWrites`]: the retry policy for lost conditional writes

mod calls;
mod error;
mod lost_writes;
mod outcome;
mod page;

pub use calls::Calls;
pub use error::{Error, Kind, chain};
pub use lost_writes::{LostWrites, MAX_CONFLICT_RETRIES};
pub use outcome::{Acknowledgement, LaneEntry, PutOutcome, ShadowWriteOutcome, WriteOutcome};
pub use page::Page;
