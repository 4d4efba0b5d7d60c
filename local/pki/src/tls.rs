//! TLS configuration of the listeners, the client certificates that they accept, and checks of the server's own files.

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

use super::server_certificates::ServerCertificates;

/// Ids of client certificates that are accepted although another authority has signed them.
pub(super) type Registered = Arc<RwLock<HashSet<String>>>;

/// Accepts the certificates of this authority, and registered ones of other authorities.
#[derive(Debug)]
pub(super) struct DeviceVerifier {
    own_authority: Arc<dyn ClientCertVerifier>,
    registered: Registered,
}

impl DeviceVerifier {
    pub(super) fn new(ca: &CertificateDer<'static>, registered: Registered, required: bool) -> io::Result<Self> {
        // The server names no authorities: a client might choose a certificate by them, and any certificate can be
        // registered.
        let own_authority =
            WebPkiClientVerifier::builder_with_provider(roots(ca)?, provider()).clear_root_hint_subjects();
        let own_authority = if required { own_authority } else { own_authority.allow_unauthenticated() };
        Ok(Self { own_authority: own_authority.build().map_err(io::Error::other)?, registered })
    }
}

impl ClientCertVerifier for DeviceVerifier {
    fn offer_client_auth(&self) -> bool {
        self.own_authority.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.own_authority.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.own_authority.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.own_authority.verify_client_cert(end_entity, intermediates, now).or_else(|error| {
            let registered = self.registered.read().unwrap_or_else(|e| e.into_inner());
            match registered.contains(&super::certificate_id(end_entity)) {
                // The signature of the handshake, verified below, proves that the client has the key.
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
        self.own_authority.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.own_authority.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.own_authority.supported_verify_schemes()
    }
}

/// TLS 1.2 and 1.3 with these server certificates.
pub(super) fn server_config(
    verifier: DeviceVerifier,
    certificates: Arc<ServerCertificates>,
    alpn: &[&[u8]],
) -> io::Result<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(io::Error::other)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(certificates);
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Whether a client that trusts `ca` accepts this server certificate at the time `at`.
pub(super) fn is_accepted(certificate: &CertificateDer<'_>, ca: &CertificateDer<'static>, at: SystemTime) -> bool {
    let Ok(since) = at.duration_since(SystemTime::UNIX_EPOCH) else { return false };
    let verifier = roots(ca).ok().map(|roots| WebPkiServerVerifier::builder_with_provider(roots, provider()).build());
    let (Some(Ok(verifier)), Ok(name)) = (verifier, ServerName::try_from("localhost")) else { return false };
    verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::since_unix_epoch(since)).is_ok()
}

/// Fails unless the certificate belongs to this key.
pub(super) fn keys_match(certificate: &CertificateDer<'static>, key_pem: &str) -> io::Result<()> {
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(io::Error::other)?;
    certified_key(vec![certificate.clone()], key).map(drop)
}

/// Fails unless the first certificate of the chain belongs to this key.
pub(super) fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> io::Result<CertifiedKey> {
    let pair = CertifiedKey::from_der(chain, key, &provider()).map_err(io::Error::other)?;
    pair.keys_match().map_err(io::Error::other)?;
    Ok(pair)
}

fn roots(ca: &CertificateDer<'static>) -> io::Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone()).map_err(io::Error::other)?;
    Ok(Arc::new(roots))
}

/// An explicit provider: other parts of the process may install another one as its default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
