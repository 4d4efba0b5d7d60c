//! The AWS protocol of a request, and error responses of the gateway in its format.

use axum::http::{HeaderName, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// AWS protocol of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// JSON 1.0 or 1.1: the operation is in `x-amz-target`.
    Json,
    /// REST-JSON: the operation is in method and path.
    RestJson,
    /// Query: the operation is the form field `Action`.
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

    pub(super) fn error_response(self, status: StatusCode, code: &str, message: &str) -> Response {
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

/// Escapes text for XML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
