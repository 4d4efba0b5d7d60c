//! Event source mappings of DynamoDB streams, which read at once instead of four times a second.
//!
//! | module | holds |
//! |---|---|
//! | [`mapping`] | the mappings: a reader for each shard and each function |
//! | [`reader`] | the reader of one shard: one batch after another |
//! | [`batch`] | a batch, its event, and which of its records the function's answer fails |
//! | [`destination`] | the record of a discarded batch |

mod batch;
mod destination;
mod mapping;
mod reader;
#[cfg(test)]
mod tests;

pub use mapping::StreamMappings;
