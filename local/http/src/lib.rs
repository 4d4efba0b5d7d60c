//! What the HTTP services share.
//!
//! | module | holds |
//! |---|---|
//! | [`body`] | reads the body of a request within a limit |

pub mod body;
