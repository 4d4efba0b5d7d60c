//! `Batch`: the stored item of a batch: how far its things are released and handled, and its claim.

use crate::command::row::Command;
use crate::ids::{BatchNumber, CommandId};
use crate::timestamp::Timestamp;

/// A batch. The names of its things are in an item of their own, and a thing is known here by its place among them.
///
/// Every write is on condition that `revision` is one less in the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// The command.
    pub command: CommandId,
    /// Number within the command, from 0.
    pub number: BatchNumber,
    /// How many times the item was written.
    pub revision: u64,
    /// How many things it has.
    pub things: u16,
    /// How many of them are released, in the order of their places.
    pub allowed: u16,
    /// How many places were handled: their executions are stored and sent, or the place is in `retry_places`.
    pub done: u16,
    /// Handled places whose execution could not be stored: they are tried again.
    pub retry_places: Vec<u16>,
    /// Whether the dispatcher has to process the batch now. Its stream record wakes the dispatcher.
    pub ready: bool,
    /// The invocation that processes the batch.
    pub claim: Option<BatchClaim>,
    /// When the executions of the batch have to be looked at.
    pub monitor_at: Option<Timestamp>,
    /// Generation of the cancel for which the executions were canceled; 0 if they were not.
    pub canceled_generation: u32,
    /// When the reconciler wakes the dispatcher for this batch, in whole seconds; none if nothing is left to do.
    pub due_at: Option<i64>,
    /// When DynamoDB may remove the item.
    pub purge_at: Timestamp,
}

/// A claim of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BatchClaim {
    /// Random text of the invocation.
    pub token: String,
    /// The end of the claim: the invocation does nothing for the batch after it.
    pub until: Timestamp,
}

impl Batch {
    /// The largest number of things in a batch.
    pub const MAX_SIZE: usize = 100;
    /// The reconciler wakes the dispatcher again if a batch that is ready was not claimed within this many seconds.
    const WATCHDOG_SECONDS: u32 = 120;

    /// A new batch, released at once or not at all.
    pub fn new(command: &Command, number: BatchNumber, things: u16, is_released: bool, now: Timestamp) -> Self {
        Self {
            command: command.id.clone(),
            number,
            revision: 0,
            things,
            allowed: if is_released { things } else { 0 },
            done: 0,
            retry_places: Vec::new(),
            ready: is_released,
            claim: None,
            monitor_at: None,
            canceled_generation: 0,
            due_at: is_released.then(|| Self::watchdog_at(now)),
            purge_at: command.purge_at(),
        }
    }

    /// Whether released things have to be sent that were not sent before.
    pub fn has_unsent(&self) -> bool {
        self.canceled_generation == 0 && (self.done < self.allowed || !self.retry_places.is_empty())
    }

    /// The places of the things that have to be sent.
    pub fn unsent_places(&self) -> Vec<u16> {
        self.retry_places.iter().copied().chain(self.done..self.allowed).collect()
    }

    /// Whether executions of the batch may be stored. Meaningful only before the batch is claimed.
    pub fn may_have_executions(&self) -> bool {
        self.done > 0 || self.claim.is_some() || self.monitor_at.is_some()
    }

    /// A copy with the next revision.
    pub(super) fn next(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    /// In whole seconds.
    pub(super) fn watchdog_at(now: Timestamp) -> i64 {
        due_after(now, Self::WATCHDOG_SECONDS)
    }
}

/// The entry in the due index for this many seconds after `now`, in whole seconds.
pub(super) fn due_after(now: Timestamp, seconds: u32) -> i64 {
    now.plus_seconds(seconds).as_seconds_rounded_up()
}
