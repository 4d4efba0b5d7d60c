//! The certificate authority, and TLS for the listeners.
//!
//! | module | holds |
//! |---|---|
//! | [`files`] | key and certificate files that several processes may create at once |
//! | [`mint`] | the contents of the certificates: authority, server, devices |
//! | [`prime`] | random primes for RSA keys |
//! | [`rsa_key`] | RSA keys |
//! | [`server_certificates`] | the certificates of the listeners: EC and RSA |
//! | [`tls`] | TLS configuration of the listeners, and which client certificates they accept |

mod files;
mod mint;
mod prime;
mod rsa_key;
mod server_certificates;
mod tls;

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use rcgen::{Issuer, KeyPair};
use rsa_key::RsaKey;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use server_certificates::ServerCertificates;

/// A handle on the certificate authority; clones share it.
#[derive(Clone)]
pub struct Pki(Arc<Inner>);

struct Inner {
    ca_pem: String,
    ca: CertificateDer<'static>,
    issuer: Arc<Issuer<'static, KeyPair>>,
    server_certificates: Arc<ServerCertificates>,
    /// Ids of the accepted certificates that other authorities have signed.
    registered: tls::Registered,
}

/// A client certificate and its keys.
#[derive(Clone, Debug)]
pub struct Issued {
    /// AWS IoT's certificate id: the SHA-256 of the certificate's DER in lower-case hex.
    pub certificate_id: String,
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The public key, PEM.
    pub public_key_pem: String,
    /// The private key, PKCS #1 PEM.
    pub private_key_pem: String,
}

/// Why a signing request is refused.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RequestError(rcgen::Error);

impl Pki {
    /// Loads the authority and the server certificate from `directory` (`ca.pem`, `ca.key`, `server.pem`,
    /// `server.key`), or creates them.
    ///
    /// Several processes may start with one directory: the first one writes keys and authority, which are never
    /// replaced. The server certificate is replaced when it is about to expire, or does not match key or authority.
    ///
    /// # Errors
    /// A file cannot be read or written, is not PEM, or `ca.pem` is not the certificate of `ca.key`.
    pub fn load_or_create(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let now = SystemTime::now();
        let ca_key = files::read_or_create(&directory.join("ca.key"), files::Mode::Secret, mint::key)?;
        let ca_key = KeyPair::from_pem(&ca_key).map_err(bad("ca.key"))?;
        let ca_pem = files::read_or_create(&directory.join("ca.pem"), files::Mode::Public, || mint::ca(&ca_key, now))?;
        let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(bad("ca.pem"))?;
        tls::keys_match(&ca, &ca_key.serialize_pem())
            .map_err(bad("ca.pem is not the certificate of ca.key (remove both)"))?;
        let issuer = Arc::new(Issuer::from_ca_cert_der(&ca, ca_key).map_err(bad("ca.pem"))?);

        let server_key_pem = files::read_or_create(&directory.join("server.key"), files::Mode::Secret, mint::key)?;
        let server_key = PrivateKeyDer::from_pem_slice(server_key_pem.as_bytes()).map_err(bad("server.key"))?;
        let server_path = directory.join("server.pem");
        let server_chain = match usable_chain(&server_path, &ca, &server_key_pem, now) {
            Some(chain) => chain,
            None => {
                let key = KeyPair::from_pem(&server_key_pem).map_err(bad("server.key"))?;
                let pem = mint::server(&key, &issuer, now)?;
                files::replace(&server_path, files::Mode::Public, &pem)?;
                chain(&pem).map_err(bad("server.pem"))?
            }
        };
        let ec = tls::certified_key(server_chain, server_key).map_err(bad("server.key"))?;
        let server_certificates = Arc::new(ServerCertificates::new(ec, issuer.clone()));
        let registered = Arc::new(RwLock::new(HashSet::new()));
        Ok(Self(Arc::new(Inner { ca_pem, ca, issuer, server_certificates, registered })))
    }

    /// Issues a client certificate with a new key pair (RSA 2048). Blocks for some two tenths of a second.
    ///
    /// # Errors
    /// The key or the certificate cannot be generated.
    pub fn issue(&self, common_name: &str) -> io::Result<Issued> {
        let private_key = RsaKey::generate()?;
        let key = private_key.key_pair()?;
        let certificate = mint::client(common_name, &key, &self.0.issuer, SystemTime::now())?;
        Ok(Issued {
            certificate_id: certificate_id(certificate.der()),
            certificate_pem: certificate.pem(),
            public_key_pem: key.public_key_pem(),
            private_key_pem: private_key.pem(),
        })
    }

    /// Issues a client certificate for the key and the name of a signing request (PEM). Returns it as PEM.
    ///
    /// # Errors
    /// The request is malformed, is not signed with its key, or the kind of the key is not supported.
    pub fn sign(&self, request: &str) -> Result<String, RequestError> {
        let certificate = mint::requested(request, &self.0.issuer, SystemTime::now()).map_err(RequestError)?;
        Ok(certificate.pem())
    }

    /// The authority's certificate, PEM: the root certificate for devices.
    pub fn ca_pem(&self) -> &str {
        &self.0.ca_pem
    }

    /// Makes listeners accept this certificate, which another authority has signed, or which is self-signed.
    pub fn trust(&self, certificate_id: &str) {
        let mut registered = self.0.registered.write().unwrap_or_else(|e| e.into_inner());
        registered.insert(certificate_id.to_owned());
    }

    /// TLS configuration of a listener that asks for a client certificate. With an empty `alpn`, ALPN is ignored.
    ///
    /// # Errors
    /// The authority's certificate can't be used to verify others.
    pub fn server_config(
        &self,
        alpn: &[&[u8]],
        client_certificate_required: bool,
    ) -> io::Result<Arc<rustls::ServerConfig>> {
        let verifier = tls::DeviceVerifier::new(&self.0.ca, self.0.registered.clone(), client_certificate_required)?;
        let config = tls::server_config(verifier, self.0.server_certificates.clone(), alpn)?;
        Ok(Arc::new(config))
    }
}

/// AWS IoT's certificate id of a DER certificate: its SHA-256 in lower-case hex.
pub fn certificate_id(der: &[u8]) -> String {
    use sha2::Digest;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(der))
}

/// The certificate chain in `path`, unless it is missing, unreadable, of another key or authority, or about to expire.
fn usable_chain(
    path: &Path,
    ca: &CertificateDer<'static>,
    key_pem: &str,
    now: SystemTime,
) -> Option<Vec<CertificateDer<'static>>> {
    let chain = chain(&std::fs::read_to_string(path).ok()?).ok()?;
    let certificate = chain.first()?;
    tls::keys_match(certificate, key_pem).ok()?;
    tls::is_accepted(certificate, ca, now + mint::RENEW_BEFORE).then_some(chain)
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect()
}

fn bad<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> io::Error {
    move |error| io::Error::new(io::ErrorKind::InvalidData, format!("{what}: {error}"))
}

#[cfg(test)]
mod tests;
