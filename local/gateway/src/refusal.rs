//! Errors of the gateway itself, in the shape that each protocol gives them.

use axum::http::{HeaderName, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// How a client speaks, told from its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// The operation is in `x-amz-target`.
    Json,
    /// The operation is in method and path.
    RestJson,
    /// The operation is `Action` in a form.
    Query,
}

impl Protocol {
    pub(super) fn of(request: &Parts) -> Self {
        if request.headers.contains_key("x-amz-target") {
            Self::Json
        } else if request.uri.path() == "/" {
            Self::Query
        } else {
            Self::RestJson
        }
    }

    pub(super) fn refuse(self, status: StatusCode, code: &str, message: &str) -> Response {
        let request_id = uuid::Uuid::new_v4().to_string();
        let (content_type, body) = match self {
            Self::Json => ("application/x-amz-json-1.0", json!({"__type": code, "message": message}).to_string()),
            Self::RestJson => ("application/json", json!({"message": message, "traceId": request_id}).to_string()),
            Self::Query => ("text/xml", query_error(code, message, &request_id)),
        };
        let headers = [(header::CONTENT_TYPE, content_type), (ERROR_TYPE, code), (REQUEST_ID, request_id.as_str())];
        (status, headers, body).into_response()
    }
}

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

fn query_error(code: &str, message: &str, request_id: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(code),
        escape(message)
    )
}

/// Text, as XML wants it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
