//! The other end of the wire: a reference agent, and a simulated fleet of them.
//!
//! | module | holds |
//! |---|---|
//! | [`agent`] | what a device must decide: no I/O, no clock, no randomness |
//! | [`link`] | one MQTT connection that never gives up |
//! | [`store`] | an agent's memory in a file |
//! | [`tls`] | a certificate, its key and the authority, as PEM |
//! | [`client`] | an agent on a link, with a handler for each command |
//! | [`handlers`] | what a device does for each command, and how it is stopped |
//! | [`files`] | room for so many connections |
//! | [`fleet`] | a thousand things in one process, each with a script |
//!
//! Nothing here is shared with the cloud side, so that both cannot agree on the same bug.

use std::sync::Arc;

pub mod agent;
pub mod client;
pub mod files;
pub mod fleet;
pub mod handlers;
pub mod link;
mod random;
pub mod store;
pub mod tls;

/// Where a device reads the time: milliseconds since 1970.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system's time.
pub fn system_time() -> Now {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
