//! What is sent, and what is read from a response.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider, retry::TokenBucket};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_runtime_api::shared::IntoShared;
use aws_types::service_config::LoadServiceConfig;
use serde_json::json;

use super::*;

/// Longer than any machine takes for an answer that is there at once.
const LONG: Duration = Duration::from_secs(600);

/// Keeps the requests, and answers with these statuses, the last one first, then with 200 and `{}`. An answer below 500 has
/// the code of throttling, others have none.
#[derive(Clone, Debug, Default)]
struct Recorder {
    statuses: Arc<Mutex<Vec<u16>>>,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

#[derive(Clone, Debug)]
struct Recorded {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl HttpClient for Recorder {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let (method, url) = (request.method().to_owned(), request.uri().to_owned());
        self.requests.lock().unwrap().push(Recorded { method, url, headers, body });
        let Some(status) = self.statuses.lock().unwrap().pop() else {
            return HttpConnectorFuture::ready(Ok(response(200, "{}")));
        };
        let mut failed = response(status, "{}");
        if status < 500 {
            failed.headers_mut().insert("x-amzn-errortype", "ThrottlingException");
        }
        HttpConnectorFuture::ready(Ok(failed))
    }
}

fn response(status: u16, body: &'static str) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}

/// The configuration of an operation over this client, with this timeout of an attempt.
fn config(client: impl HttpClient + 'static, attempt: Duration) -> SdkConfig {
    SdkConfig::builder()
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests_with_session_token()))
        .http_client(client)
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(attempt).build())
        .build()
}

/// An operation whose requests are recorded.
fn operation(recorder: &Recorder) -> IotOperation<Value> {
    IotOperation::new("SearchIndex", &config(recorder.clone(), LONG), None)
}

fn get() -> IotRequest {
    IotRequest { path: "/things".into(), body: None }
}

#[tokio::test]
async fn request_is_signed_for_iot_in_the_clients_region() {
    let recorder = Recorder::default();
    for body in [None, Some(json!({"a": 1}))] {
        operation(&recorder).send(IotRequest { path: "/things?a=%2F".into(), body }).await.unwrap();
    }
    let requests = recorder.requests.lock().unwrap().clone();
    for (request, expected) in requests.iter().zip([("GET", ""), ("POST", "{\"a\":1}")]) {
        assert_eq!((request.method.as_str(), request.body.as_str()), expected);
        assert_eq!(request.url, "https://iot.eu-west-1.amazonaws.com/things?a=%2F");
        let authorization = &request.headers["authorization"];
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ANOTREAL/"), "{authorization}");
        assert!(authorization.contains("/eu-west-1/iot/aws4_request, SignedHeaders="), "{authorization}");
        assert!(authorization.contains("host;x-amz-date;x-amz-security-token"), "{authorization}");
        assert!(request.headers["user-agent"].contains("api/iot/"), "{request:?}");
    }
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn failed_attempt_is_retried_under_the_id_of_the_call() {
    for status in [400, 429, 500, 503] {
        let recorder = Recorder::default();
        recorder.statuses.lock().unwrap().push(status);
        operation(&recorder).send(get()).await.unwrap();
        let requests = recorder.requests.lock().unwrap().clone();
        let of = |name: &str| requests.iter().map(|request| request.headers[name].clone()).collect::<Vec<_>>();
        assert_eq!(of("amz-sdk-request"), ["attempt=1; max=2", "attempt=2; max=2"], "{status}");
        let ids = of("amz-sdk-invocation-id");
        assert_eq!(ids[0], ids[1], "{status}");
    }
    let recorder = Recorder::default();
    recorder.statuses.lock().unwrap().extend([500, 500]);
    operation(&recorder).send(get()).await.unwrap_err();
    assert_eq!(recorder.requests.lock().unwrap().len(), 2, "two attempts, as in the configuration");
}

#[tokio::test]
async fn attempt_without_an_answer_ends_at_its_timeout_and_is_retried() {
    #[derive(Clone, Debug, Default)]
    struct Silent(Arc<Mutex<u32>>);
    impl HttpClient for Silent {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            self.clone().into_shared()
        }
    }
    impl HttpConnector for Silent {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            *self.0.lock().unwrap() += 1;
            HttpConnectorFuture::new(std::future::pending())
        }
    }
    let silent = Silent::default();
    let operation = IotOperation::<Value>::new("SearchIndex", &config(silent.clone(), Duration::from_millis(20)), None);
    let sent = tokio::time::timeout(Duration::from_secs(60), operation.send(get())).await;
    let error = sent.expect("the timeout of the operation's attempts ends it").unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(*silent.0.lock().unwrap(), 2, "attempts");
}

#[tokio::test]
async fn used_up_quota_allows_no_retry() {
    let recorder = Recorder::default();
    recorder.statuses.lock().unwrap().push(503);
    let quota = RetryPartition::custom("used up").token_bucket(TokenBucket::new(0)).build();
    let operation = IotOperation::<Value>::new("SearchIndex", &config(recorder.clone(), LONG), Some(&quota));
    operation.send(get()).await.unwrap_err();
    assert_eq!(recorder.requests.lock().unwrap().len(), 1);
}

/// The setting that the SDK reads from AWS_ENDPOINT_URL_IOT, by the name of the service.
#[derive(Debug)]
struct OfIot;

impl LoadServiceConfig for OfIot {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let is_endpoint = (key.service_id(), key.env()) == ("IoT", "AWS_ENDPOINT_URL");
        is_endpoint.then(|| "http://127.0.0.1:2".to_owned())
    }
}

#[test]
fn endpoint_is_that_of_the_region_and_partition() {
    for (region, fips, dual_stack, expected) in [
        ("us-east-1", false, false, "https://iot.us-east-1.amazonaws.com"),
        ("us-gov-west-1", true, false, "https://iot-fips.us-gov-west-1.amazonaws.com"),
        ("us-east-1", true, true, "https://iot-fips.us-east-1.api.aws"),
        ("cn-north-1", false, false, "https://iot.cn-north-1.amazonaws.com.cn"),
        ("cn-north-1", false, true, "https://iot.cn-north-1.api.amazonwebservices.com.cn"),
        ("eusc-de-east-1", false, false, "https://iot.eusc-de-east-1.amazonaws.eu"),
        ("us-iso-east-1", false, false, "https://iot.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", true, false, "https://iot-fips.us-isob-east-1.sc2s.sgov.gov"),
    ] {
        let config =
            SdkConfig::builder().region(Region::from_static(region)).use_fips(fips).use_dual_stack(dual_stack).build();
        assert_eq!(endpoint(&config), expected);
    }
    let configured = || SdkConfig::builder().endpoint_url("http://127.0.0.1:1");
    let mut of_service = configured();
    of_service.set_service_config(Some(OfIot));
    assert_eq!(endpoint(&of_service.build()), "http://127.0.0.1:2", "AWS_ENDPOINT_URL_IOT comes first");
    let configured = configured().build();
    assert_eq!(endpoint(&configured), "http://127.0.0.1:1");
}

#[test]
fn code_of_an_error_is_in_the_header_or_in_the_body() {
    let with_header = |code: &'static str, body| {
        let mut response = response(400, body);
        response.headers_mut().insert("x-amzn-errortype", code);
        response
    };
    for (response, code, message) in [
        (with_header("ThrottlingException:http://x/", r#"{"message":"slow"}"#), Some("ThrottlingException"), "slow"),
        (response(400, r#"{"__type":"aws.iot#A","Message":"m"}"#), Some("A"), "m"),
        (response(400, r#"{"code":"A","errorMessage":"m"}"#), Some("A"), "m"),
        (response(400, r#"{"code":"A","__type":"B","message":"m","Message":"n"}"#), Some("A"), "m"),
        (response(400, r#"{"code":7,"message":"m"}"#), None, "m"),
        (response(502, "<html>"), None, ""),
        (response(400, "[]"), None, ""),
    ] {
        let error = error(&response, response.body().bytes().unwrap());
        assert_eq!((error.code(), error.message().unwrap_or_default()), (code, message));
    }
}

#[test]
fn success_that_cannot_be_read_is_an_error() {
    assert!(deserialize::<Value>(&response(200, "<html>")).is_err());
    for empty in ["", "{}"] {
        assert_eq!(deserialize::<Value>(&response(200, empty)).unwrap(), json!({}));
    }
}
