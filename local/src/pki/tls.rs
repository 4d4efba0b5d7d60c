//! TLS of the listeners: which client certificates get in, and the checks on our own files.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme};

/// The ids of certificates that get in whoever signed them.
pub(super) type Registered = Arc<RwLock<HashSet<String>>>;

/// Lets in the certificates of our authority, and the registered ones of any other.
#[derive(Debug)]
pub(super) struct DeviceVerifier {
    ours: Arc<dyn ClientCertVerifier>,
    registered: Registered,
}

impl DeviceVerifier {
    pub(super) fn new(ca: &CertificateDer<'static>, registered: Registered, required: bool) -> io::Result<Self> {
        // Clients may choose a certificate by the authorities that the server names, and any may be registered.
        let ours = WebPkiClientVerifier::builder_with_provider(roots(ca)?, provider()).clear_root_hint_subjects();
        let ours = if required { ours } else { ours.allow_unauthenticated() };
        Ok(Self { ours: ours.build().map_err(io::Error::other)?, registered })
    }
}

impl ClientCertVerifier for DeviceVerifier {
    fn offer_client_auth(&self) -> bool {
        self.ours.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.ours.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.ours.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.ours.verify_client_cert(end_entity, intermediates, now).or_else(|error| {
            let registered = self.registered.read().unwrap_or_else(|e| e.into_inner());
            match registered.contains(&super::certificate_id(end_entity)) {
                // The handshake's signature, checked below, proves that the client holds its key.
                true => Ok(ClientCertVerified::assertion()),
                false => Err(error),
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.ours.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.ours.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.ours.supported_verify_schemes()
    }
}

/// TLS 1.2 and 1.3 with our server certificate.
pub(super) fn server_config(
    verifier: DeviceVerifier,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    alpn: &[&[u8]],
) -> io::Result<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(io::Error::other)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Whether a client that trusts `ca` would accept this server certificate at `at`.
pub(super) fn serves(certificate: &CertificateDer<'_>, ca: &CertificateDer<'static>, at: SystemTime) -> bool {
    let Ok(since) = at.duration_since(SystemTime::UNIX_EPOCH) else { return false };
    let verifier = roots(ca).ok().map(|roots| WebPkiServerVerifier::builder_with_provider(roots, provider()).build());
    let (Some(Ok(verifier)), Ok(name)) = (verifier, ServerName::try_from("localhost")) else { return false };
    verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::since_unix_epoch(since)).is_ok()
}

/// Fails unless the certificate is of this key.
pub(super) fn keys_match(certificate: &CertificateDer<'static>, key_pem: &str) -> io::Result<()> {
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(io::Error::other)?;
    let pair = CertifiedKey::from_der(vec![certificate.clone()], key, &provider());
    pair.and_then(|pair| pair.keys_match()).map_err(io::Error::other)
}

fn roots(ca: &CertificateDer<'static>) -> io::Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone()).map_err(io::Error::other)?;
    Ok(Arc::new(roots))
}

/// Named here, because other parts of a process may install another one as its default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
