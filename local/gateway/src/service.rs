//! The service that a request is for.

use axum::http::{Method, request::Parts};

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
            Self::Iot => &["iot"],
            Self::Greengrass => &["greengrass"],
            Self::Sts => &["sts"],
            Self::About | Self::Unknown => &[],
        }
    }

    /// The service by `x-amz-target` if present, else by path. No two of the services share a path.
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
            _ => Self::Iot,
        }
    }
}

/// Whether a path segment has the form of a Lambda API version, such as `2015-03-31`.
fn is_date(segment: &str) -> bool {
    segment.len() == 10 && segment.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}
