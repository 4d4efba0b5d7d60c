//! The certificate authority, and TLS for the listeners.

use std::path::Path;
use std::sync::Arc;

/// The authority; clones share it.
#[derive(Clone)]
pub struct Pki {}

/// A client certificate and its keys, PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// SHA-256 of the certificate's DER, lower-case hex: AWS IoT's certificate id.
    pub certificate_id: String,
    pub certificate_pem: String,
    pub public_key_pem: String,
    pub private_key_pem: String,
}

#[allow(unused_variables)]
impl Pki {
    /// Loads the authority and the server certificate from `directory` (`ca.pem`, `ca.key`, `server.pem`, `server.key`), or makes them.
    pub fn load_or_create(directory: &Path) -> std::io::Result<Self> {
        unimplemented!()
    }
    pub fn issue(&self, common_name: &str) -> std::io::Result<Issued> {
        unimplemented!()
    }
    pub fn ca_pem(&self) -> &str {
        unimplemented!()
    }
    /// TLS that asks for a client certificate of this authority. `alpn` empty: ALPN is ignored.
    pub fn server_config(
        &self,
        alpn: &[&[u8]],
        client_certificate_required: bool,
    ) -> std::io::Result<Arc<rustls::ServerConfig>> {
        unimplemented!()
    }
}

/// The certificate id of a DER certificate: its SHA-256 in lower-case hex.
pub fn certificate_id(der: &[u8]) -> String {
    use sha2::Digest;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(der))
}
