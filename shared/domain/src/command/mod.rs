//! What an operator asked for: one command, for one thing or for a fleet.

pub(crate) mod audit;
pub(crate) mod consistency;
pub(crate) mod deadlines;
pub(crate) mod definition;
pub(crate) mod delivery;
pub(crate) mod failure;
pub(crate) mod fingerprint;
pub(crate) mod idempotency_key;
pub(crate) mod lane;
pub(crate) mod payload;
pub(crate) mod raw_payload;
pub(crate) mod request_form;
pub(crate) mod retry;
pub(crate) mod row;
