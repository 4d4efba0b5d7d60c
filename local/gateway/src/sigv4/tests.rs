//! Tests of signatures that AWS's own clients have made.

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

/// As the device SDKs sign for MQTT over WebSocket (awscrt 0.31): without X-Amz-Expires, and the token of a session is
/// not signed.
#[test]
fn a_websocket_url_that_a_device_sdk_signed_is_accepted() {
    let url = |path: &str, token: &str, signature: &str| {
        format!(
            "{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20260102%2Fus-east-1%2Fiotdevicegateway\
             %2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host{token}&X-Amz-Signature={signature}"
        )
    };
    let verify = |url: &str, seconds: i64| {
        let request = Request::get(url).header("host", "localhost").body(()).expect("a request").into_parts().0;
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        let now = now + jiff::SignedDuration::from_secs(seconds);
        let scope = Scope { regions: &["us-east-1"], services: &["iotdevicegateway"] };
        Credentials::test().verify(&request, b"", now, &scope)
    };
    let token = "&X-Amz-Security-Token=session%2Ftoken%2B";
    let signature = "e893fb819dc03ea5f3d54b92c457099864d7633a4ca2a8aef5195e4133f7a89a";
    let of_all = "838264ee67f4cc4dad36661ef7d33457e5635ee33fffdf3296e265bb9a32ee8b";
    for url in [url("/mqtt", "", signature), url("/mqtt", token, signature), url("/mqtt", token, of_all)] {
        assert_eq!(verify(&url, 299), Ok("test".into()), "{url}");
        assert!(matches!(verify(&url, 301), Err(SignatureError::Time(_))), "{url}");
    }
    assert_eq!(verify(&url("/mqtt", "&X-Amz-Security-Token=other", of_all), 0), Err(SignatureError::Mismatch));
    assert_eq!(verify(&url("/mqtt", "&a=b", signature), 0), Err(SignatureError::Mismatch));
    assert_eq!(verify(&url("/topics/a", token, signature), 0), Err(SignatureError::Mismatch), "of no other request");
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
    assert_eq!(verify(&signed_url(&SIGNED_URL.replace("name=cmd", "name=other")), b""), Err(SignatureError::Mismatch));
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
