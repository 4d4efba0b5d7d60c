//! Options that name the broker and the credentials for it.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use device::link::Endpoint;
use device::tls;

#[derive(Debug, Args)]
pub struct BrokerArgs {
    /// The MQTT broker's host name or address
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// The MQTT broker's port: 1883 for plain TCP, 8883 for TLS
    #[arg(long, default_value_t = 1883)]
    pub port: u16,
    /// The certificate authority to trust, as PEM; turns on TLS
    #[arg(long, value_name = "FILE", requires_all = ["cert", "key"])]
    ca: Option<PathBuf>,
    /// The device's certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "ca")]
    cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "ca")]
    key: Option<PathBuf>,
}

impl BrokerArgs {
    pub fn endpoint(&self) -> Result<Endpoint, Box<dyn Error + Send + Sync>> {
        let mut endpoint = Endpoint::plain(&self.host, self.port);
        if let (Some(ca), Some(cert), Some(key)) = (&self.ca, &self.cert, &self.key) {
            endpoint.tls = Some(tls::from_pem(&read(ca)?, &read(cert)?, &read(key)?)?);
        }
        Ok(endpoint)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
