//! The server's certificates: one with an EC key, and one with an RSA key for clients that know only RSA.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rcgen::{Issuer, KeyPair};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::rsa_key::RsaKey;
use super::{chain, mint, tls};

/// Chooses the certificate for each connection.
pub(super) struct ServerCertificates {
    ec: Arc<CertifiedKey>,
    /// Made for the first client that needs it: no other one waits for its key. `None` if that has failed.
    rsa: OnceLock<Option<Arc<CertifiedKey>>>,
    issuer: Arc<Issuer<'static, KeyPair>>,
}

impl ServerCertificates {
    pub(super) fn new(ec: CertifiedKey, issuer: Arc<Issuer<'static, KeyPair>>) -> Self {
        Self { ec: Arc::new(ec), rsa: OnceLock::new(), issuer }
    }

    fn make_rsa(&self) -> io::Result<CertifiedKey> {
        let key = RsaKey::generate()?;
        let pem = mint::server(&key.key_pair()?, &self.issuer, SystemTime::now())?;
        tls::certified_key(chain(&pem).map_err(io::Error::other)?, key.der())
    }
}

impl ResolvesServerCert for ServerCertificates {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // With TLS 1.2, rustls leaves out the schemes that none of the client's cipher suites allows.
        if self.ec.key.choose_scheme(client_hello.signature_schemes()).is_some() {
            return Some(self.ec.clone());
        }
        self.rsa.get_or_init(|| self.make_rsa().ok().map(Arc::new)).clone()
    }
}

impl fmt::Debug for ServerCertificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServerCertificates").finish_non_exhaustive()
    }
}
