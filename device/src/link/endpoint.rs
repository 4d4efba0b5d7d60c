//! Where a link connects to, and with which credentials.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// An MQTT broker's address.
#[derive(Clone)]
pub struct Endpoint {
    /// Host name or IP address.
    pub host: String,
    /// TCP port: by convention 1883 for plain TCP, 8883 for TLS.
    pub port: u16,
    /// `None` means plain TCP.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Limits how many links connect at the same time, when links share it; `None` means no limit.
    pub connect_permits: Option<Arc<Semaphore>>,
}

impl Endpoint {
    /// Plain TCP, without a limit on simultaneous connects.
    pub fn plain(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, tls: None, connect_permits: None }
    }
}
