//! The contents of the certificates: authority, server, devices.

use std::io;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A server certificate is replaced when it expires within this time.
pub(super) const RENEW_BEFORE: Duration = days(30);
/// Validity of a server certificate: some platforms refuse a longer one.
const SERVER_VALIDITY: Duration = days(397);
/// Certificates are valid from this time before now, for devices with slow clocks.
const BACKDATED: Duration = days(1);

/// The names in the server certificate: local addresses, and endpoint names of AWS.
const SERVER_NAMES: [&str; 11] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "*.iot.us-east-1.amazonaws.com",
    "*.iot.us-east-2.amazonaws.com",
    "*.iot.us-west-2.amazonaws.com",
    "*.iot.eu-west-1.amazonaws.com",
    "*.iot.eu-central-1.amazonaws.com",
    "*.iot.ap-northeast-1.amazonaws.com",
    "*.iot.ap-southeast-2.amazonaws.com",
    "greengrass-ats.iot.us-east-1.amazonaws.com",
];

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

/// A new EC P-256 key, PKCS#8 PEM.
pub(super) fn key() -> io::Result<String> {
    Ok(KeyPair::generate().map_err(io::Error::other)?.serialize_pem())
}

/// The authority's own certificate, PEM.
pub(super) fn ca(key: &KeyPair, now: SystemTime) -> io::Result<String> {
    let mut params = named("Flaghoist local certificate authority", now);
    // It outlives every certificate that it signs.
    params.not_after = date_time_ymd(2050, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(params.self_signed(key).map_err(io::Error::other)?.pem())
}

/// The listeners' certificate, PEM.
pub(super) fn server(key: &KeyPair, issuer: &Issuer<'_, KeyPair>, now: SystemTime) -> io::Result<String> {
    let mut params = named("localhost", now);
    params.subject_alt_names =
        CertificateParams::new(SERVER_NAMES.map(String::from)).map_err(io::Error::other)?.subject_alt_names;
    params.not_after = (now + SERVER_VALIDITY).into();
    Ok(leaf(params, ExtendedKeyUsagePurpose::ServerAuth, key, issuer)?.pem())
}

/// A device's certificate, which expires when those of AWS IoT do: at the end of 2049.
pub(super) fn client(
    common_name: &str,
    key: &KeyPair,
    issuer: &Issuer<'_, KeyPair>,
    now: SystemTime,
) -> io::Result<Certificate> {
    let mut params = named(common_name, now);
    params.not_after = date_time_ymd(2049, 12, 31);
    leaf(params, ExtendedKeyUsagePurpose::ClientAuth, key, issuer)
}

/// A device's certificate for the key and the name of its signing request, PEM.
pub(super) fn requested(
    request: &str,
    issuer: &Issuer<'_, KeyPair>,
    now: SystemTime,
) -> Result<Certificate, rcgen::Error> {
    let mut request = CertificateSigningRequestParams::from_pem(request)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = request.params.distinguished_name;
    params.not_before = (now - BACKDATED).into();
    params.not_after = date_time_ymd(2049, 12, 31);
    // What else the request asks for is not granted.
    request.params = as_leaf(params, ExtendedKeyUsagePurpose::ClientAuth);
    request.signed_by(issuer)
}

fn leaf(
    params: CertificateParams,
    usage: ExtendedKeyUsagePurpose,
    key: &KeyPair,
    issuer: &Issuer<'_, KeyPair>,
) -> io::Result<Certificate> {
    as_leaf(params, usage).signed_by(key, issuer).map_err(io::Error::other)
}

fn as_leaf(mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(common_name: &str, now: SystemTime) -> CertificateParams {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Flaghoist");
    name.push(DnType::CommonName, common_name);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = (now - BACKDATED).into();
    params
}
