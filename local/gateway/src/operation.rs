//! Operation name and path of a request, for fault plans and the journal.

use axum::http::{Method, request::Parts};
use percent_encoding::percent_decode_str;

use super::service::Service;

/// Service and operation, such as `DynamoDB.UpdateItem` or `IotData.Publish`.
pub(super) fn name(service: Service, request: &Parts) -> String {
    let method = &request.method;
    let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    match service {
        Service::DynamoDb => format!("DynamoDB.{operation}"),
        Service::Sqs => format!("SQS.{operation}"),
        Service::Lambda if request.uri.path().ends_with("/invocations") => "Lambda.Invoke".to_owned(),
        Service::Lambda => format!("Lambda.{method}"),
        Service::IotData => format!("IotData.{}", data_plane_operation(method, request.uri.path())),
        Service::Iot => {
            format!("Iot.{}", control_plane_operation(method, request.uri.path()).unwrap_or(method.as_str()))
        }
        Service::Jobs => format!("Jobs.{method}"),
        Service::JobsData => format!("JobsData.{method}"),
        Service::Greengrass => format!("Greengrass.{method}"),
        Service::Mqtt => "Mqtt.Connect".to_owned(),
        Service::Sts => "STS.GetCallerIdentity".to_owned(),
        Service::About | Service::Unknown => method.to_string(),
    }
}

fn data_plane_operation(method: &Method, path: &str) -> &'static str {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method.as_str(), segments.as_slice()) {
        ("POST", ["topics", ..]) => "Publish",
        ("POST", ["connections", _, "messages"]) => "SendDirectMessage",
        ("GET", ["connections", _, "subscriptions"]) => "ListSubscriptions",
        ("GET", ["connections", ..]) => "GetConnection",
        ("DELETE", ["connections", ..]) => "DeleteConnection",
        ("GET", ["retainedMessage"]) => "ListRetainedMessages",
        ("GET", ["retainedMessage", ..]) => "GetRetainedMessage",
        ("GET", ["things", _, "shadow"]) => "GetThingShadow",
        ("POST", ["things", _, "shadow"]) => "UpdateThingShadow",
        ("DELETE", ["things", _, "shadow"]) => "DeleteThingShadow",
        ("GET", ["api", "things", "shadow", ..]) => "ListNamedShadowsForThing",
        _ => "Unknown",
    }
}

/// The control plane operations that the functions use; `None` for all others.
fn control_plane_operation(method: &Method, path: &str) -> Option<&'static str> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    Some(match (method.as_str(), segments.as_slice()) {
        ("POST", ["indices", "search"]) => "SearchIndex",
        ("GET", ["things"]) => "ListThings",
        ("GET", ["things", _]) => "DescribeThing",
        ("GET", ["things", _, "thing-groups"]) => "ListThingGroupsForThing",
        ("GET", ["thing-groups"]) => "ListThingGroups",
        ("GET", ["thing-groups", _]) => "DescribeThingGroup",
        ("GET", ["thing-groups", _, "things"]) => "ListThingsInThingGroup",
        _ => return None,
    })
}

/// Decoded path and query.
pub(super) fn path(request: &Parts) -> String {
    let path = request.uri.path_and_query().map_or_else(|| request.uri.path(), |whole| whole.as_str());
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}
