//! Mutual TLS from PEM: the device's certificate and key, and the authority that it trusts.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// Credentials that are not usable.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the texts is not PEM.
    #[error("the {what} is not readable as PEM")]
    Pem {
        /// Which of the three.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// One of the texts is PEM, of something else.
    #[error("there is no {what} in the PEM text")]
    Missing {
        /// Which of the three.
        what: &'static str,
    },
    /// The certificate and the key do not fit, or are of an unknown kind.
    #[error("the certificate, key or authority is not usable")]
    Unusable(#[from] rustls::Error),
}

/// Credentials as a TLS configuration, to be shared by all connections that use them.
pub fn from_pem(authority: &[u8], certificate: &[u8], key: &[u8]) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(authority, "authority")? {
        roots.add(authority)?;
    }
    let key = rustls_pemfile::private_key(&mut &*key)
        .map_err(|source| TlsError::Pem { what: "private key", source })?
        .ok_or(TlsError::Missing { what: "private key" })?;
    // Named, not the process's default: two providers may be compiled in, and then there is none.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates(certificate, "certificate")?, key)?;
    Ok(Arc::new(config))
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, TlsError> {
    let found: Vec<_> =
        rustls_pemfile::certs(&mut &*pem).collect::<Result<_, _>>().map_err(|source| TlsError::Pem { what, source })?;
    if found.is_empty() { Err(TlsError::Missing { what }) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let error = from_pem(b"", b"", b"").unwrap_err();
        assert!(matches!(error, TlsError::Missing { what: "authority" }), "{error}");
        let broken = b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n";
        assert!(matches!(from_pem(broken, b"", b""), Err(TlsError::Pem { what: "authority", .. })));
    }
}
