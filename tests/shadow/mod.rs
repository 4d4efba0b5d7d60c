//! Commands and wishes in shadows, end to end.
//!
//! | file | holds |
//! |---|---|
//! | [`map`] | our own dialect, in the named shadow `cmd` |
//! | [`atlas`] | the dialect of AWS's IoT Atlas, in the classic shadow |
//! | [`relay`] | a device of that dialect |
//! | [`state`] | wished states |
//! | [`lost`] | writes whose answers are lost, in every dialect |
//! | [`bad`] | shadows that are full, echo everything, or can't hold what they are to hold |

mod atlas;
mod bad;
mod lost;
mod map;
mod relay;
mod state;
