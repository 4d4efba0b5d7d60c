//! The outcomes of calls that are answered. A condition that does not hold is one of them, and no error.

use domain::LaneQueue;

/// The outcome of storing an item that must not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome<T> {
    /// It is stored.
    Stored,
    /// An item with its key exists already, and is unchanged.
    Exists(Box<T>),
}

/// The outcome of a conditional write to an item. `C` is what a conflict returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome<T, C = T> {
    /// The condition held: this is the item after the write.
    Applied(T),
    /// The condition did not hold, and nothing is written: this is the item that another writer has left.
    Conflict(C),
    /// The item does not exist.
    NotFound,
}

/// The outcome of entering a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneEntry {
    /// The execution is in the lane, with this queue.
    Joined(LaneQueue),
    /// The lane has [`LaneQueue::MAX_LENGTH`] other executions.
    Full,
}

/// The outcome of an update of a shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShadowWriteOutcome {
    /// The shadow is updated.
    Applied,
    /// Another writer has changed the shadow: it no longer has the version that the update names. Nothing is written.
    Conflict,
    /// The document would be larger than the 8 KB of a shadow. Nothing is written.
    TooLarge,
}

/// What is known about the delivery of a direct message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acknowledgement {
    /// The device acknowledged the message.
    Delivered,
    /// The device is not connected, and does not have the message.
    NotConnected,
    /// The device did not acknowledge the message in time. It may have the message.
    Missing,
}
