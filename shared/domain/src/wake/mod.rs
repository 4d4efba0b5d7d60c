//! Wakes: messages on the queue of ticks that say what is due, and when. A wake arrives at its time, so what is due
//! does not wait for the next tick.
//!
//! A wake carries no decision: its receiver reads the row, the plan or the batch, and decides by that. So a wake
//! that comes twice or late does no harm, and one that is lost costs punctuality only: the next tick finds its work in
//! the due index.
//!
//! - [`Wake`]: what a message says; [`horizon`]: which due entries have a wake, and who sends it
//! - [`early`]: which entries need work before their time, since too many come at one time; [`looks`]: when they are
//!   looked for between two ticks; [`unsent`]: what a look expects to be sent

pub mod early;
pub mod horizon;
pub mod looks;
mod message;
pub mod unsent;

use crate::execution::key::Key;
use crate::ids::{BatchNumber, CommandId};
use crate::timestamp::Timestamp;
use early::Entry;

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
    /// Executions of a shard with these entries: their requests have to leave their shadows before their time (see
    /// [`early`]).
    Early {
        /// The shard.
        shard: u8,
        /// The first entry.
        first: Entry,
        /// The last one.
        last: Entry,
        /// When.
        at: Timestamp,
    },
    /// The next entries have to be looked at between two ticks, as many requests end together (see [`looks`]).
    LookAhead {
        /// When.
        at: Timestamp,
        /// The work that begins until then is brought by messages of this look, later work by one of a later look.
        until: Timestamp,
        /// The command whose large target led to the look: more of its requests may follow.
        command: Option<CommandId>,
        /// Whether no look came before it, which would have brought the work of its first seconds.
        is_first: bool,
    },
    /// More executions of a shard are due than a tick has time for: a run works through them.
    Run(ShardRun),
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

/// A run through a shard of the due index, in as many messages as it takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShardRun {
    /// The shard.
    pub shard: u8,
    /// The first entry that the run has not passed.
    pub from: i64,
    /// When the message was sent.
    pub at: Timestamp,
    /// The holder of the shard's lease whom the receiver replaces. So a message that comes twice is handled once.
    pub lease: String,
    /// How many messages of the run were sent before.
    pub hops: u8,
}

impl ShardRun {
    /// The most messages of a run. At 40 seconds each, it is as good as none; what is left is found by a tick.
    const MAX_HOPS: u8 = 60;
    /// How long a lease is held: longer than an invocation lasts, and its message takes.
    const LEASE_SECONDS: u32 = 90;

    /// When a lease ends that is taken at `now`.
    pub fn lease_until(now: Timestamp) -> Timestamp {
        now.plus_seconds(Self::LEASE_SECONDS)
    }

    /// The next message of the run, which has come to the entry `from`; none if it makes no progress any more.
    pub fn go_on(&self, from: i64, passed: u64, at: Timestamp, lease: String) -> Option<Self> {
        let goes_on = passed > 0 && self.hops < Self::MAX_HOPS;
        goes_on.then(|| Self { shard: self.shard, from, at, lease, hops: self.hops + 1 })
    }
}

impl Wake {
    /// When it has to arrive.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Execution { at, .. } | Self::Second { at, .. } | Self::Fleet { at, .. } | Self::Batch { at, .. } => {
                Timestamp::from_seconds(*at)
            }
            Self::Step { at, .. }
            | Self::Early { at, .. }
            | Self::LookAhead { at, .. }
            | Self::Run(ShardRun { at, .. }) => *at,
        }
    }
}
