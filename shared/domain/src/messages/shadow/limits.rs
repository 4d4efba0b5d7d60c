//! The limits of a shadow document.

/// The most levels of objects and arrays that a shadow holds; `desired` is the first. AWS IoT's error text says 6, its
/// quotas say 8: 6 is accepted under both.
pub(super) const MAX_LEVELS: usize = 6;

/// The most bytes of `desired` and `reported` together, without metadata.
pub(super) const MAX_BYTES: usize = 8192;
