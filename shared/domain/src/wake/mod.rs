//! Wakes: messages on the queue of ticks that say what is due, and when. A wake arrives at its time, so what is due
//! does not wait for the next tick.
//!
//! A wake carries no decision: its receiver reads the row, the plan or the batch, and decides by that. So a wake
//! that comes twice or late does no harm, and one that is lost costs punctuality only: the next tick finds its work in
//! the due index.
//!
//! - [`Wake`]: what a message says; [`horizon`]: which due entries have a wake, and who sends it

pub mod horizon;
mod message;

use crate::execution::key::Key;
use crate::ids::{BatchNumber, CommandId};
use crate::timestamp::Timestamp;

pub use message::WakeError;

/// What is due, and when. Entries of the due index are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// An execution has to be looked at. It counts only while the row's due entry is `due`: the writer that moves the
    /// entry sends another wake.
    Execution {
        /// The row.
        key: Key,
        /// The row's due entry when the wake was sent.
        due: i64,
        /// When it has to be looked at: `due`, or later, where a look at `due` found nothing to do yet.
        at: i64,
    },
    /// All executions of a shard of the due index whose entry is `at`.
    Second {
        /// The shard.
        shard: u8,
        /// The entry.
        at: i64,
    },
    /// All plans and batches of a shard of the due index of commands whose entry is `at`.
    Fleet {
        /// The shard.
        shard: u8,
        /// The entry.
        at: i64,
    },
    /// A batch whose executions have to be looked at, or sent again.
    Batch {
        /// The command.
        command: CommandId,
        /// The batch.
        number: BatchNumber,
        /// The batch's due entry.
        at: i64,
    },
    /// A plan may have a step to take: more things to release, or a window that opens or closes.
    Step {
        /// The command.
        command: CommandId,
        /// When.
        at: Timestamp,
    },
}

impl Wake {
    /// When it has to arrive.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Execution { at, .. } | Self::Second { at, .. } | Self::Fleet { at, .. } | Self::Batch { at, .. } => {
                Timestamp::from_seconds(*at)
            }
            Self::Step { at, .. } => *at,
        }
    }
}
