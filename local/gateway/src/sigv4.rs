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
#[cfg(test)]
mod tests;

pub use error::SignatureError;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Maximum difference in seconds between the time of signing and now.
const MAX_SKEW_S: i64 = 300;

/// Positions in the scope of a credential.
const REGION_PART: usize = 1;
const SERVICE_PART: usize = 2;

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
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for part in &parsed.scope {
            key = hmac(&key, part)?.finalize().into_bytes().to_vec();
        }
        let signature = HEXLOWER.decode(parsed.signature.as_bytes()).map_err(|_| SignatureError::Mismatch)?;
        let query = request.uri.query().unwrap_or_default();
        for unsigned in unsigned_parameters(request) {
            let canonical = parsed.canonical_request(request, &canonical_query(query, unsigned), body)?;
            let (scope, digest) = (parsed.scope.join("/"), hex_digest(canonical.as_bytes()));
            let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{digest}", parsed.signed_at);
            if hmac(&key, &to_sign)?.verify_slice(&signature).is_ok() {
                return Ok(parsed.access_key);
            }
        }
        Err(SignatureError::Mismatch)
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

/// Whether a request has a signature, which is not verified.
pub(super) fn is_signed(request: &Parts) -> bool {
    access_key(request).is_some()
}

/// The access key in the signature of a request, which is not verified.
pub(super) fn access_key(request: &Parts) -> Option<String> {
    ParsedSignature::read(request).ok().map(|parsed| parsed.access_key)
}

/// The signing name of the service in the signature of a request, which is not verified.
pub(super) fn signed_service(request: &Parts) -> Option<String> {
    ParsedSignature::read(request).ok().and_then(|parsed| parsed.scope.into_iter().nth(SERVICE_PART))
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
        // Without it a URL is valid as long as a header: so SDKs sign for MQTT over WebSocket.
        let expires = field("X-Amz-Expires").map(|value| value.parse().ok().filter(|s| (1..=604_800).contains(s)));
        let expires = expires.map(|seconds| seconds.ok_or(SignatureError::Incomplete("X-Amz-Expires"))).transpose()?;
        Self::of(field, "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", signed_at, expires)
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
        if !allows(expected.regions, REGION_PART) {
            let found = self.scope.get(REGION_PART).cloned().unwrap_or_default();
            return Err(SignatureError::Region { found, expected: expected.regions.join(", ") });
        }
        if !allows(expected.services, SERVICE_PART) {
            return Err(SignatureError::Service { expected: expected.services[0].to_owned() });
        }
        Ok(())
    }

    fn canonical_request(&self, request: &Parts, query: &str, body: &[u8]) -> Result<String, SignatureError> {
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

/// The parameters of the query that the signature does not cover: itself, and for MQTT over WebSocket perhaps the token
/// of a session. The device SDKs add that token to the signed URL, other clients sign it.
fn unsigned_parameters(request: &Parts) -> &'static [&'static [&'static str]] {
    match request.uri.path() {
        "/mqtt" => &[&["X-Amz-Signature"], &["X-Amz-Signature", "X-Amz-Security-Token"]],
        _ => &[&["X-Amz-Signature"]],
    }
}

/// The query without these parameters, sorted.
fn canonical_query(query: &str, without: &[&str]) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| !without.contains(name))
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
