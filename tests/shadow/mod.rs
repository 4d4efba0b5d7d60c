//! Commands and wishes in shadows, end to end.
//!
//! | file | holds |
//! |---|---|
//! | [`map`] | our own dialect, in the named shadow `cmd` |
//! | [`atlas`] | the dialect of AWS's IoT Atlas, in the classic shadow |
//! | [`relay`] | a device of that dialect |

mod atlas;
mod map;
mod relay;
