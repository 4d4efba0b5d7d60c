//! Mutual TLS from PEM: a device's certificate and private key, and the authority that it trusts.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// Credentials that no TLS connection can be made with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A text is not valid PEM.
    #[error("the {what} is not valid PEM")]
    Pem {
        /// `authority`, `certificate` or `private key`.
        what: &'static str,
        /// The first error in the text.
        source: pem::Error,
    },
    /// A text is valid PEM without the section that is needed.
    #[error("the PEM text holds no {what}")]
    Missing {
        /// `authority`, `certificate` or `private key`.
        what: &'static str,
    },
    /// The certificate does not belong to the key, or an algorithm is not supported.
    #[error("TLS does not accept this certificate, private key and authority")]
    Unusable(#[from] rustls::Error),
}

/// A client configuration that trusts `authority` and presents `certificate`, each a PEM text. Connections may share
/// it.
///
/// # Errors
/// [`TlsError::Pem`] and [`TlsError::Missing`] name the text that cannot be used; [`TlsError::Unusable`] when rustls
/// refuses the credentials.
pub fn from_pem(authority: &[u8], certificate: &[u8], private_key: &[u8]) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in read_certificates(authority, "authority")? {
        roots.add(authority)?;
    }
    let private_key = read_private_key(private_key)?;
    // The provider is explicit: with two providers compiled in, rustls has no default one.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(read_certificates(certificate, "certificate")?, private_key)?;
    Ok(Arc::new(config))
}

fn read_certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Pem { what, source })?;
    if certificates.is_empty() { Err(TlsError::Missing { what }) } else { Ok(certificates) }
}

fn read_private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    let what = "private key";
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::Missing { what },
        source => TlsError::Pem { what, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_the_text_that_cannot_be_used() {
        let error = from_pem(b"", b"", b"").unwrap_err();
        assert!(matches!(error, TlsError::Missing { what: "authority" }), "{error}");
        let broken = b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n";
        assert!(matches!(from_pem(broken, b"", b""), Err(TlsError::Pem { what: "authority", .. })));
        let certificate_only = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(read_private_key(certificate_only), Err(TlsError::Missing { what: "private key" })));
    }
}
