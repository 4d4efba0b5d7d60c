//! Commands and wishes in shadows, end to end.
//!
//! | file | holds |
//! |---|---|
//! | [`map`] | our own dialect, in the named shadow `cmd` |

mod map;
