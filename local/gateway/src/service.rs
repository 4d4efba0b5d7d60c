//! The service that a request is for.

use axum::extract::ConnectInfo;
use axum::http::{Method, request::Parts};

use super::authorization::Caller;
use super::sigv4;

/// The signing name of a device's operations on its jobs.
const JOBS_DATA: &str = "iot-jobs-data";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Description of the stack, for a person or a health check; not a service of AWS.
    About,
    DynamoDb,
    Sqs,
    Lambda,
    IotData,
    /// MQTT over WebSocket.
    Mqtt,
    Iot,
    /// Jobs, as an operator manages them: a part of the service `iot`.
    Jobs,
    /// Jobs, as a device works through them.
    JobsData,
    Greengrass,
    Sts,
    Unknown,
}

impl Service {
    /// The names of the service in signatures; none where a signature for any service is accepted.
    pub(super) fn signing_names(self) -> &'static [&'static str] {
        match self {
            Self::DynamoDb => &["dynamodb"],
            Self::Sqs => &["sqs"],
            Self::Lambda => &["lambda"],
            // Both are names of the device gateway: SDKs use the first for requests, the second for WebSocket.
            Self::IotData | Self::Mqtt => &["iotdata", "iotdevicegateway"],
            Self::Iot | Self::Jobs => &["iot"],
            Self::JobsData => &[JOBS_DATA],
            Self::Greengrass => &["greengrass"],
            Self::Sts => &["sts"],
            Self::About | Self::Unknown => &[],
        }
    }

    /// The service by `x-amz-target` if present, else by path. Only the two of Jobs share paths.
    pub(super) fn of(request: &Parts) -> Self {
        if let Some(target) = request.headers.get("x-amz-target") {
            let target = target.to_str().unwrap_or_default();
            return match target.split_once('.').map_or(target, |(service, _)| service) {
                "DynamoDB_20120810" => Self::DynamoDb,
                "AmazonSQS" => Self::Sqs,
                _ => Self::Unknown,
            };
        }
        let path = request.uri.path();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match segments.as_slice() {
            [""] if request.method == Method::POST => Self::Sts,
            // With a signature, `GET /` is ListBuckets of S3.
            ["" | "health"] if request.method == Method::GET && !request.headers.contains_key("authorization") => {
                Self::About
            }
            [""] => Self::Unknown,
            ["mqtt"] => Self::Mqtt,
            ["greengrass", ..] => Self::Greengrass,
            ["topics" | "retainedMessage" | "connections", ..] => Self::IotData,
            ["api", "things", "shadow", ..] | ["things", _, "shadow"] => Self::IotData,
            [version, "functions" | "event-source-mappings" | "account-settings" | "tags", ..] if is_date(version) => {
                Self::Lambda
            }
            ["jobs" | "event-configurations", ..] => Self::Jobs,
            ["things", _, "jobs"] | ["things", _, "jobs", _] => jobs_service(request),
            ["things", _, "jobs", ..] => Self::Jobs,
            _ => Self::Iot,
        }
    }
}

/// Reading jobs has the same paths for a device and an operator. The signature tells them apart, and a client
/// certificate without a signature is a device's. What changes an execution at these paths is for devices only.
fn jobs_service(request: &Parts) -> Service {
    let certificate = request.extensions.get::<ConnectInfo<Caller>>().and_then(|info| info.0.certificate.as_ref());
    let is_device = match sigv4::signed_service(request) {
        Some(service) => service == JOBS_DATA,
        None => certificate.is_some(),
    };
    if is_device || request.method != Method::GET { Service::JobsData } else { Service::Jobs }
}

/// Whether a path segment has the form of a Lambda API version, such as `2015-03-31`.
fn is_date(segment: &str) -> bool {
    segment.len() == 10 && segment.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}
