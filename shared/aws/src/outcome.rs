//! The outcome of a conditional write.

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
