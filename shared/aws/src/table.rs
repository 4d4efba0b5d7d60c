//! What a conditional write answers.

use domain::Execution;

/// What became of something that was to be stored once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put<T> {
    /// It is stored.
    Stored,
    /// It was there already: this.
    Exists(Box<T>),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// It is written. The row after it, where it was asked for.
    Written(Option<Box<Execution>>),
    /// The row has come as far or further, or is not as it was seen: this.
    OldNews(Box<Execution>),
    /// There is no such row.
    Unknown,
}
