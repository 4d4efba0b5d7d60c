//! The authority's files, and TLS handshakes.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

struct Client<'a> {
    trusts: &'a Pki,
    identity: Option<Issued>,
    name: &'static str,
    alpn: Vec<Vec<u8>>,
    version: &'static rustls::SupportedProtocolVersion,
    /// The kinds of keys that it knows with TLS 1.2.
    knows: &'static [&'static str],
}

/// Parts of the names of cipher suites of TLS 1.2.
const RSA: &[&str] = &["RSA"];
const ECDSA: &[&str] = &["ECDSA"];
const ANY: &[&str] = &["RSA", "ECDSA"];

impl<'a> Client<'a> {
    fn of(pki: &'a Pki, identity: Option<Issued>) -> Self {
        Self { trusts: pki, identity, name: "localhost", alpn: vec![], version: &TLS13, knows: ANY }
    }

    /// With the cipher suites for the keys that the client knows: those of TLS 1.3 are for every kind.
    fn provider(&self) -> rustls::crypto::CryptoProvider {
        let mut provider = rustls::crypto::ring::default_provider();
        provider.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite());
            (name.starts_with("TLS13") && self.knows == ANY) || self.knows.iter().any(|kind| name.contains(kind))
        });
        provider
    }

    fn config(&self) -> Arc<rustls::ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.trusts.ca_pem().as_bytes()).unwrap()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(self.provider()))
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            Some(issued) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(issued.private_key_pem.as_bytes()).unwrap(),
                )
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn.clone();
        Arc::new(config)
    }
}

/// What the server knows after a handshake: the id of the client's certificate, and the chosen protocol.
type Seen = (Option<String>, Option<Vec<u8>>);

async fn handshake(server: &Arc<rustls::ServerConfig>, client: &Client<'_>) -> io::Result<Seen> {
    let (here, there) = tokio::io::duplex(16 * 1024);
    let name = ServerName::try_from(client.name).unwrap();
    let connector = TlsConnector::from(client.config());
    let server = TlsAcceptor::from(server.clone());
    let (served, asked) = tokio::join!(
        async move {
            let mut stream = server.accept(here).await?;
            let (_, tls) = stream.get_ref();
            let id = tls.peer_certificates().and_then(|chain| chain.first()).map(|der| certificate_id(der));
            let alpn = tls.alpn_protocol().map(<[u8]>::to_vec);
            stream.write_all(b"hello").await?;
            stream.shutdown().await?;
            io::Result::Ok((id, alpn))
        },
        async move {
            let mut stream = connector.connect(name, there).await?;
            // In TLS 1.3 a client gets the refusal of its certificate with its first read.
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            assert_eq!(text, "hello");
            io::Result::Ok(())
        }
    );
    let seen = served?;
    asked?;
    Ok(seen)
}

fn pki() -> (tempfile::TempDir, Pki) {
    let directory = tempfile::tempdir().unwrap();
    let pki = Pki::load_or_create(directory.path()).unwrap();
    (directory, pki)
}

#[tokio::test]
async fn certificate_of_this_authority_is_accepted_in_both_tls_versions() {
    let (_directory, pki) = pki();
    let server = pki.server_config(&[], true).unwrap();
    for version in [&TLS12, &TLS13] {
        let issued = pki.issue("thing").unwrap();
        let client = Client { version, ..Client::of(&pki, Some(issued.clone())) };
        assert_eq!(handshake(&server, &client).await.unwrap(), (Some(issued.certificate_id), None));
    }
}

#[tokio::test]
async fn client_without_certificate_is_accepted_where_it_is_optional_only() {
    let (_directory, pki) = pki();
    let client = Client::of(&pki, None);
    assert!(handshake(&pki.server_config(&[], true).unwrap(), &client).await.is_err());
    let seen = handshake(&pki.server_config(&[], false).unwrap(), &client).await.unwrap();
    assert_eq!(seen, (None, None));
}

#[tokio::test]
async fn certificate_of_another_authority_is_accepted_once_registered() {
    let (_directory, own) = pki();
    let (_elsewhere, other_authority) = pki();
    let stranger = other_authority.issue("stranger").unwrap();
    let client = Client::of(&own, Some(stranger.clone()));
    for required in [true, false] {
        assert!(handshake(&own.server_config(&[], required).unwrap(), &client).await.is_err());
    }
    own.trust(&stranger.certificate_id);
    for version in [&TLS12, &TLS13] {
        let client = Client { version, ..Client::of(&own, Some(stranger.clone())) };
        let seen = handshake(&own.server_config(&[], true).unwrap(), &client).await.unwrap();
        assert_eq!(seen.0.as_deref(), Some(stranger.certificate_id.as_str()));
    }
    let other = Client::of(&own, Some(other_authority.issue("another").unwrap()));
    assert!(handshake(&own.server_config(&[], true).unwrap(), &other).await.is_err());
}

#[tokio::test]
async fn registered_certificate_is_refused_without_its_key() {
    let (_directory, own) = pki();
    let (_elsewhere, other_authority) = pki();
    let stranger = other_authority.issue("stranger").unwrap();
    own.trust(&stranger.certificate_id);
    let thief = Issued { private_key_pem: other_authority.issue("thief").unwrap().private_key_pem, ..stranger };
    let certificate = CertificateDer::from_pem_slice(thief.certificate_pem.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(thief.private_key_pem.as_bytes()).unwrap();
    // The client skips its own check, as an attacker would.
    let signing = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let resolver = rustls::sign::SingleCertAndKey::from(rustls::sign::CertifiedKey::new(vec![certificate], signing));
    let mut config = (*Client::of(&own, None).config()).clone();
    config.client_auth_cert_resolver = Arc::new(resolver);
    let (here, there) = tokio::io::duplex(16 * 1024);
    let server = TlsAcceptor::from(own.server_config(&[], true).unwrap());
    let connector = TlsConnector::from(Arc::new(config));
    let (served, _) =
        tokio::join!(server.accept(here), connector.connect(ServerName::try_from("localhost").unwrap(), there));
    assert!(served.is_err());
}

#[tokio::test]
async fn server_certificate_is_valid_for_every_endpoint_name() {
    let (_directory, pki) = pki();
    let server = pki.server_config(&[], false).unwrap();
    let names = [
        "localhost",
        "127.0.0.1",
        "::1",
        "abc-ats.iot.us-east-1.amazonaws.com",
        "greengrass-ats.iot.eu-west-1.amazonaws.com",
    ];
    for name in names {
        handshake(&server, &Client { name, ..Client::of(&pki, None) }).await.unwrap();
    }
    assert!(handshake(&server, &Client { name: "example.com", ..Client::of(&pki, None) }).await.is_err());
}

#[tokio::test]
async fn alpn_is_chosen_from_the_list_and_ignored_without_one() {
    let (_directory, pki) = pki();
    let asks = |alpn: &[u8]| Client { alpn: vec![alpn.to_vec()], ..Client::of(&pki, None) };
    let listed = pki.server_config(&[b"x-amzn-mqtt-ca", b"http/1.1"], false).unwrap();
    let seen = handshake(&listed, &asks(b"x-amzn-mqtt-ca")).await.unwrap();
    assert_eq!(seen.1.as_deref(), Some(&b"x-amzn-mqtt-ca"[..]));
    assert_eq!(handshake(&listed, &Client::of(&pki, None)).await.unwrap().1, None);
    assert!(handshake(&listed, &asks(b"h2")).await.is_err());
    let unlisted = pki.server_config(&[], false).unwrap();
    assert_eq!(handshake(&unlisted, &asks(b"h2")).await.unwrap().1, None);
}

#[tokio::test]
async fn second_start_keeps_authority_and_certificates() {
    let (directory, first) = pki();
    let issued = first.issue("thing").unwrap();
    let server_pem = std::fs::read_to_string(directory.path().join("server.pem")).unwrap();
    let second = Pki::load_or_create(directory.path()).unwrap();
    assert_eq!(first.ca_pem(), second.ca_pem());
    assert_eq!(server_pem, std::fs::read_to_string(directory.path().join("server.pem")).unwrap());
    handshake(&second.server_config(&[], true).unwrap(), &Client::of(&first, Some(issued))).await.unwrap();
    handshake(&second.server_config(&[], true).unwrap(), &Client::of(&first, Some(second.issue("x").unwrap())))
        .await
        .unwrap();
}

#[tokio::test]
async fn unusable_server_certificate_is_replaced() {
    let (directory, first) = pki();
    let path = directory.path().join("server.pem");
    let key = KeyPair::from_pem(&std::fs::read_to_string(directory.path().join("server.key")).unwrap()).unwrap();
    let (_elsewhere, other) = pki();
    let old = SystemTime::now() - std::time::Duration::from_secs(370 * 24 * 3600);
    for text in [
        Some(String::new()),
        Some("garbage".to_owned()),
        Some(first.ca_pem().to_owned()),
        Some(mint::server(&key, &first.0.issuer, old).unwrap()),
        Some(mint::server(&key, &other.0.issuer, SystemTime::now()).unwrap()),
        Some(mint::server(&KeyPair::generate().unwrap(), &first.0.issuer, SystemTime::now()).unwrap()),
        None,
    ] {
        match &text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let again = Pki::load_or_create(directory.path()).unwrap();
        assert_ne!(text, Some(std::fs::read_to_string(&path).unwrap()));
        handshake(&again.server_config(&[], false).unwrap(), &Client::of(&first, None)).await.unwrap();
    }
}

#[test]
fn authority_of_another_key_is_an_error() {
    let (directory, _) = pki();
    std::fs::remove_file(directory.path().join("ca.key")).unwrap();
    let error = Pki::load_or_create(directory.path()).err().unwrap();
    assert!(error.to_string().contains("ca.pem is not the certificate of ca.key"), "{error}");
    std::fs::write(directory.path().join("ca.key"), "garbage").unwrap();
    let error = Pki::load_or_create(directory.path()).err().unwrap();
    assert!(error.to_string().contains("ca.key"), "{error}");
}

#[test]
fn concurrent_starts_agree_on_one_authority() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let authorities: HashSet<String> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..8).map(|_| scope.spawn(|| Pki::load_or_create(path).unwrap().ca_pem().to_owned())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(authorities.len(), 1);
    let left: HashSet<_> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left, ["ca.pem", "ca.key", "server.pem", "server.key"].map(String::from).into());
}

#[cfg(unix)]
#[test]
fn keys_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, _) = pki();
    for name in ["ca.key", "server.key"] {
        let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn issued_certificate_is_a_v3_client_certificate_and_its_id_is_its_digest() {
    let (_directory, pki) = pki();
    let issued = pki.issue("AWS IoT Certificate").unwrap();
    let der = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
    assert_eq!(issued.certificate_id, certificate_id(&der));
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(certificate.version(), x509_parser::x509::X509Version::V3);
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
    assert!(issued.private_key_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    assert!(issued.public_key_pem.starts_with("-----BEGIN PUBLIC KEY-----"));
}

#[test]
fn signing_request_becomes_a_client_certificate_for_its_key_and_name_and_nothing_more() {
    let (_directory, pki) = pki();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "own-key");
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    let request = params.serialize_request(&key).unwrap().pem().unwrap();
    let pem = pki.sign(&request).unwrap();
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(certificate.subject().iter_common_name().next().unwrap().as_str().unwrap(), "own-key");
    assert_eq!(certificate.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !certificate.is_ca());
    assert!(certificate.subject_alternative_name().unwrap().is_none());
    assert!(!certificate.key_usage().unwrap().unwrap().value.key_cert_sign());

    // A signature that is not the key's, and what is no request.
    let mut forged = data_encoding::BASE64.decode(body(&request).as_bytes()).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    let forged = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        data_encoding::BASE64.encode(&forged)
    );
    for bad in
        [forged.as_str(), "", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", &pem]
    {
        assert!(pki.sign(bad).is_err(), "{bad}");
    }
}

/// What is between the first and the last line of a PEM text.
fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

/// The kind of the key in the certificate that the server shows to a client of TLS 1.2.
async fn shown_to(pki: &Pki, knows: &'static [&'static str]) -> &'static str {
    let client = Client { version: &TLS12, knows, ..Client::of(pki, None) };
    let (here, there) = tokio::io::duplex(16 * 1024);
    let server = TlsAcceptor::from(pki.server_config(&[], false).unwrap());
    let connector = TlsConnector::from(client.config());
    let name = ServerName::try_from("localhost").unwrap();
    let (served, connected) = tokio::join!(server.accept(here), connector.connect(name, there));
    served.unwrap();
    let connected = connected.unwrap();
    let der = &connected.get_ref().1.peer_certificates().unwrap()[0];
    let (_, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
    match certificate.public_key().parsed().unwrap() {
        x509_parser::public_key::PublicKey::RSA(key) if key.key_size() == 2_048 => "RSA",
        x509_parser::public_key::PublicKey::EC(_) => "EC",
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn server_shows_a_certificate_that_the_client_knows() {
    let (_directory, pki) = pki();
    for (knows, shown) in [(ANY, "EC"), (ECDSA, "EC"), (RSA, "RSA"), (ANY, "EC")] {
        assert_eq!(shown_to(&pki, knows).await, shown, "{knows:?}");
    }
}

#[tokio::test]
async fn client_that_knows_only_rsa_is_asked_for_its_certificate() {
    let (_directory, pki) = pki();
    let issued = pki.issue("thing").unwrap();
    let client = Client { version: &TLS12, knows: RSA, ..Client::of(&pki, Some(issued.clone())) };
    let seen = handshake(&pki.server_config(&[], true).unwrap(), &client).await.unwrap();
    assert_eq!(seen.0, Some(issued.certificate_id));
}
