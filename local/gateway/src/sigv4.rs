//! Signature Version 4: verifies that a request is signed with the credentials of the stack.
//!
//! The rules are those of all services except S3: the path as sent is percent-encoded once more, and dot segments are
//! resolved. The time of signing is compared with the system clock, which clients sign with, not with the stack's
//! clock.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::request::Parts;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, civil, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

mod error;

pub use error::SignatureError;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Maximum difference in seconds between the time of signing and now.
const MAX_SKEW_S: i64 = 300;

/// Characters that are percent-encoded in a canonical path.
const PATH_ENCODE_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// An access key and its secret.
#[derive(Clone)]
pub struct Credentials {
    /// Access key id (`AWS_ACCESS_KEY_ID`).
    pub access_key: String,
    /// Secret access key (`AWS_SECRET_ACCESS_KEY`).
    pub secret_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The credentials in the environment variables of AWS; [`Credentials::test`] if a variable is missing or empty.
    pub fn from_environment() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key), Some(secret_key)) => Self { access_key, secret_key },
            _ => Self::test(),
        }
    }

    /// Access key `test` and secret `test`, which are customary for local AWS endpoints.
    pub fn test() -> Self {
        Self { access_key: "test".into(), secret_key: "test".into() }
    }

    /// Verifies the signature of a request and returns its access key: the access key of the credentials, or this key
    /// with a suffix `.<function>.<number>` that identifies a function process.
    ///
    /// # Errors
    /// The signature is missing, incomplete, expired or wrong, or it is for another Region or service.
    pub fn verify(
        &self,
        request: &Parts,
        body: &[u8],
        now: Timestamp,
        scope: &Scope<'_>,
    ) -> Result<String, SignatureError> {
        let parsed = ParsedSignature::read(request)?;
        let suffix = parsed.access_key.strip_prefix(&self.access_key);
        if !suffix.is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('.')) {
            return Err(SignatureError::UnknownKey);
        }
        parsed.check_time(now)?;
        parsed.check_scope(scope)?;
        let canonical = parsed.canonical_request(request, body)?;
        let scope = parsed.scope.join("/");
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{}", parsed.signed_at, hex_digest(canonical.as_bytes()));
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for part in &parsed.scope {
            key = hmac(&key, part)?.finalize().into_bytes().to_vec();
        }
        let signature = HEXLOWER.decode(parsed.signature.as_bytes()).map_err(|_| SignatureError::Mismatch)?;
        hmac(&key, &to_sign)?.verify_slice(&signature).map_err(|_| SignatureError::Mismatch)?;
        Ok(parsed.access_key)
    }
}

/// What a signature has to be for. An empty list allows everything.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The Regions.
    pub regions: &'a [&'a str],
    /// The signing names of the service, such as `execute-api`.
    pub services: &'a [&'a str],
}

/// The access key in the signature of a request, which is not verified.
pub(super) fn access_key(request: &Parts) -> Option<String> {
    ParsedSignature::read(request).ok().map(|parsed| parsed.access_key)
}

/// The signature of a request, from its `Authorization` header or its query.
struct ParsedSignature {
    access_key: String,
    /// Date, region, service, `aws4_request`.
    scope: Vec<String>,
    signed_headers: String,
    signature: String,
    signed_at: String,
    /// Validity of a signed URL in seconds.
    expires: Option<i64>,
}

impl ParsedSignature {
    fn read(request: &Parts) -> Result<Self, SignatureError> {
        let query = request.uri.query().unwrap_or_default();
        if query.split('&').any(|pair| pair.starts_with("X-Amz-Signature=")) {
            return Self::from_query(query);
        }
        let header = header(request, "authorization").ok_or(SignatureError::Missing)?;
        let fields = header.strip_prefix(ALGORITHM).ok_or(SignatureError::Incomplete("the algorithm"))?;
        let fields: BTreeMap<&str, &str> = fields.split(',').filter_map(|field| field.trim().split_once('=')).collect();
        let field = |name| fields.get(name).map(|value| (*value).to_owned());
        let signed_at = self::header(request, "x-amz-date").ok_or(SignatureError::Incomplete("X-Amz-Date"))?;
        Self::of(field, "Credential", "SignedHeaders", "Signature", signed_at, None)
    }

    fn from_query(query: &str) -> Result<Self, SignatureError> {
        let fields: BTreeMap<&str, Cow<'_, str>> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name, percent_decode_str(value).decode_utf8_lossy()))
            .collect();
        let field = |name| fields.get(name).map(|value| value.clone().into_owned());
        if field("X-Amz-Algorithm").as_deref() != Some(ALGORITHM) {
            return Err(SignatureError::Incomplete("X-Amz-Algorithm"));
        }
        let signed_at = field("X-Amz-Date").ok_or(SignatureError::Incomplete("X-Amz-Date"))?;
        let expires = field("X-Amz-Expires").and_then(|value| value.parse().ok());
        let expires = expires.filter(|s| (1..=604_800).contains(s)).ok_or(SignatureError::Incomplete("X-Amz-Expires"));
        Self::of(field, "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", signed_at, Some(expires?))
    }

    fn of(
        field: impl Fn(&'static str) -> Option<String>,
        credential: &'static str,
        signed_headers: &'static str,
        signature: &'static str,
        signed_at: String,
        expires: Option<i64>,
    ) -> Result<Self, SignatureError> {
        let required = |name| field(name).ok_or(SignatureError::Incomplete(name));
        let credential = required(credential)?;
        let mut parts = credential.split('/').map(str::to_owned);
        let access_key = parts.next().unwrap_or_default();
        let scope: Vec<String> = parts.collect();
        if scope.len() != 4 {
            return Err(SignatureError::Incomplete("the credential's scope"));
        }
        Ok(Self {
            access_key,
            scope,
            signed_headers: required(signed_headers)?,
            signature: required(signature)?,
            signed_at,
            expires,
        })
    }

    fn check_time(&self, now: Timestamp) -> Result<(), SignatureError> {
        let signed = civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &self.signed_at)
            .and_then(|time| TimeZone::UTC.to_timestamp(time))
            .map_err(|_| SignatureError::Incomplete("X-Amz-Date"))?;
        let age = now.as_second() - signed.as_second();
        if age < -MAX_SKEW_S || age > self.expires.unwrap_or(MAX_SKEW_S) {
            return Err(SignatureError::Time(self.signed_at.clone()));
        }
        Ok(())
    }

    fn check_scope(&self, expected: &Scope<'_>) -> Result<(), SignatureError> {
        let allows = |allowed: &[&str], part: usize| {
            allowed.is_empty() || self.scope.get(part).is_some_and(|found| allowed.contains(&found.as_str()))
        };
        let (region, service) = (1, 2);
        if !allows(expected.regions, region) {
            let found = self.scope.get(region).cloned().unwrap_or_default();
            return Err(SignatureError::Region { found, expected: expected.regions.join(", ") });
        }
        if !allows(expected.services, service) {
            return Err(SignatureError::Service { expected: expected.services[0].to_owned() });
        }
        Ok(())
    }

    fn canonical_request(&self, request: &Parts, body: &[u8]) -> Result<String, SignatureError> {
        let names: Vec<&str> = self.signed_headers.split(';').collect();
        if !names.contains(&"host") {
            return Err(SignatureError::Incomplete("host is not signed"));
        }
        let mut headers = String::new();
        for name in names {
            let value = header(request, name).ok_or(SignatureError::Incomplete("a signed header is missing"))?;
            headers.push_str(&format!("{name}:{value}\n"));
        }
        let payload = match header(request, "x-amz-content-sha256") {
            Some(unsigned) if unsigned == "UNSIGNED-PAYLOAD" => unsigned,
            _ => hex_digest(body),
        };
        let path = canonical_path(request.uri.path());
        let query = canonical_query(request.uri.query().unwrap_or_default());
        let signed_headers = &self.signed_headers;
        Ok(format!("{}\n{path}\n{query}\n{headers}\n{signed_headers}\n{payload}", request.method))
    }
}

/// All values of a header joined by commas, with repeated spaces removed.
fn header(request: &Parts, name: &str) -> Option<String> {
    let values: Vec<String> = request
        .headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let slash = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    utf8_percent_encode(&format!("/{}{slash}", segments.join("/")), PATH_ENCODE_SET).to_string()
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("X-Amz-Signature="))
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn hmac(key: &[u8], message: &str) -> Result<Hmac<Sha256>, SignatureError> {
    // HMAC accepts keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| SignatureError::Mismatch)?;
    mac.update(message.as_bytes());
    Ok(mac)
}

fn hex_digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    // Signed by botocore 1.43 with access key `test` and secret `test`.
    const HEADER: &str = "AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/iotdata/aws4_request, \
         SignedHeaders=host;x-amz-date;x-amz-mqtt5-user-properties, \
         Signature=4ab14d9a652fb3d24730fe99edd9bc0a16c9179900d10428b99e9d7f8089b666";
    const SIGNED_URL: &str = "/things/a%3Ab/shadow?name=cmd&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=test%2F20260102%2Fus-east-1%2Fiotdata%2Faws4_request&X-Amz-Date=20260102T030405Z\
         &X-Amz-Expires=300&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=a6d0a98f6eddef8beaf9854681a560e2ac00a52a1ab5db29b5b5fabb83da2944";
    const BODY: &[u8] = br#"{"a": 1}"#;

    fn signed() -> Parts {
        let request = Request::post("/topics/%24aws%2Fthings%2Fa%20b%2Fx%2By?qos=1&contentType=text%2Fplain")
            .header("host", "127.0.0.1:4566")
            .header("x-amz-date", "20260102T030405Z")
            .header("x-amz-mqtt5-user-properties", " W3siYSI6  ICJiIn1d ")
            .header("authorization", HEADER);
        request.body(()).expect("a request").into_parts().0
    }

    fn signed_url(url: &str) -> Parts {
        Request::get(url).header("host", "127.0.0.1:4566").body(()).expect("a request").into_parts().0
    }

    fn verify(request: &Parts, body: &[u8]) -> Result<String, SignatureError> {
        verify_at(request, body, "2026-01-02T03:04:05Z")
    }

    fn verify_at(request: &Parts, body: &[u8], now: &str) -> Result<String, SignatureError> {
        let credentials = Credentials { access_key: "test".into(), secret_key: "test".into() };
        let scope = Scope { regions: &["us-east-1"], services: &["iotdata"] };
        credentials.verify(request, body, now.parse().expect("a time"), &scope)
    }

    #[test]
    fn a_signature_for_another_region_or_service_is_rejected() {
        let credentials = Credentials::test();
        let now = "2026-01-02T03:04:05Z".parse().expect("a time");
        let verify = |regions, services| credentials.verify(&signed(), BODY, now, &Scope { regions, services });
        assert!(verify(&[], &[]).is_ok());
        assert!(verify(&["eu-west-1", "us-east-1"], &["iotdevicegateway", "iotdata"]).is_ok());
        let region = verify(&["eu-west-1"], &[]).expect_err("rejected");
        assert_eq!(
            region.to_string(),
            "Credential should be scoped to a valid Region, not 'us-east-1': this stack is in eu-west-1"
        );
        let service = verify(&[], &["execute-api"]).expect_err("rejected");
        assert_eq!(service.to_string(), "Credential should be scoped to correct service: 'execute-api'");
        assert_eq!((region.code(), service.code()), ("InvalidSignatureException", "InvalidSignatureException"));
    }

    #[test]
    fn a_header_and_a_url_that_botocore_signed_are_accepted() {
        assert_eq!(verify(&signed(), BODY), Ok("test".into()));
        assert_eq!(verify(&signed_url(SIGNED_URL), b""), Ok("test".into()));
    }

    #[test]
    fn an_access_key_with_a_process_suffix_is_accepted() {
        let mut request = signed();
        let of_process = HEADER.replace("=test/", "=test.f.7/");
        request.headers.insert("authorization", of_process.parse().expect("a header"));
        assert_eq!(verify(&request, BODY), Ok("test.f.7".into()));
    }

    #[test]
    fn a_request_changed_after_signing_is_rejected() {
        assert_eq!(verify(&signed(), b"{}"), Err(SignatureError::Mismatch));
        let mut other = signed();
        other.uri = "/topics/other".parse().expect("a path");
        assert_eq!(verify(&other, BODY), Err(SignatureError::Mismatch));
        assert_eq!(
            verify(&signed_url(&SIGNED_URL.replace("name=cmd", "name=other")), b""),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn a_signature_too_old_or_in_the_future_is_rejected() {
        for now in ["2026-01-02T03:09:06Z", "2026-01-02T02:59:04Z"] {
            assert!(matches!(verify_at(&signed(), BODY, now), Err(SignatureError::Time(_))), "{now}");
            assert!(matches!(verify_at(&signed_url(SIGNED_URL), b"", now), Err(SignatureError::Time(_))), "{now}");
        }
        assert!(verify_at(&signed(), BODY, "2026-01-02T03:09:05Z").is_ok());
    }

    #[test]
    fn a_missing_or_incomplete_signature_is_rejected_with_its_error() {
        assert_eq!(verify(&signed_url("/things/a/shadow"), b""), Err(SignatureError::Missing));
        let with = |value: &str| {
            let mut request = signed();
            request.headers.insert("authorization", value.parse().expect("a header"));
            verify(&request, BODY).expect_err("rejected")
        };
        assert_eq!(with(&HEADER.replace("=test/", "=other/")), SignatureError::UnknownKey);
        assert_eq!(with(&HEADER.replace("=test/", "=tester/")), SignatureError::UnknownKey);
        for value in [
            "Basic dGVzdDp0ZXN0",
            ALGORITHM,
            "AWS4-HMAC-SHA256 Credential=test, SignedHeaders=host, Signature=00",
            &HEADER.replace("SignedHeaders=host;", "SignedHeaders="),
            &HEADER.replace("x-amz-date", "x-amz-other"),
        ] {
            assert!(matches!(with(value), SignatureError::Incomplete(_)), "{value}");
        }
        assert_eq!(with(&HEADER.replace("Signature=", "Signature=no")), SignatureError::Mismatch);
    }
}
