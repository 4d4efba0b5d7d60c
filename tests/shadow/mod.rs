//! Commands and desired states in shadows, end to end.
//!
//! | file | holds |
//! |---|---|
//! | [`map`] | dialect `map`: requests in the named shadow `cmd` |
//! | [`atlas`] | dialect `atlas`: the IoT Atlas command in the classic shadow |
//! | [`relay`] | a device of the IoT Atlas |
//! | [`state`] | desired states |
//! | [`lost`] | shadow writes whose responses are lost, in every dialect |
//! | [`full`] | shadows without room for a request |
//! | [`ttl`] | a request in a shadow has less than its ttl, and the answer says so |
//! | [`backlog`] | many requests in shadows whose ttl ends at the same time |
//! | [`early`] | requests that end together leave their shadows one after another |
//! | [`bad`] | payloads that a shadow cannot hold, and echoes that are no reports |

mod atlas;
mod backlog;
mod bad;
mod early;
mod full;
mod lost;
mod map;
mod relay;
mod state;
mod ttl;
