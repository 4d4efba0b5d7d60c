//! One MQTT 3.1.1 connection: a persistent session, renewed subscriptions, and reconnects with backoff.

mod backoff;
pub(crate) mod connection;
mod connection_loop;
pub(crate) mod disconnect;
pub(crate) mod endpoint;
pub(crate) mod event;

pub use connection::Link;
pub use disconnect::Disconnect;
pub use endpoint::Endpoint;
pub use event::{Event, Receipt};
