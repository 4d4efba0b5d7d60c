//! What the HTTP services share.
//!
//! | module | holds |
//! |---|---|
//! | [`body`] | reads the body of a request within a limit |
//! | [`origin`] | refuses requests of pages of other websites |

pub mod body;
pub mod origin;
