//! `Problem`: the error that a request is answered with, as problem details (RFC 9457).

use serde::Serialize;

use super::response::Response;

/// What is wrong with a request, or why it could not be served. Internal details go to the log, not in here.
#[derive(Debug)]
pub struct Problem {
    /// HTTP status code.
    pub status: u16,
    title: &'static str,
    detail: String,
    /// The part of the request that is wrong.
    pub field: Option<String>,
    header: Option<(&'static str, &'static str)>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

/// `Retry-After` of a service that is throttled or does not answer.
const SERVICE_RETRY_AFTER_SECONDS: &str = "1";

/// `Retry-After` of a full lane, which has to wait for a device.
const LANE_RETRY_AFTER_SECONDS: &str = "10";

impl Problem {
    fn new(status: u16, title: &'static str, field: Option<&str>, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), field: field.map(str::to_owned), header: None }
    }

    pub fn bad_request(field: &str, detail: impl Into<String>) -> Self {
        Self::new(400, "Bad Request", Some(field), detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "Not Found", None, detail)
    }

    /// `allowed`: the methods of the path.
    pub fn method_not_allowed(allowed: &'static str) -> Self {
        let problem = Self::new(405, "Method Not Allowed", None, format!("this path allows only {allowed}"));
        Self { header: Some(("allow", allowed)), ..problem }
    }

    pub fn conflict(field: &str, detail: impl Into<String>) -> Self {
        Self::new(409, "Conflict", Some(field), detail)
    }

    pub fn too_large(field: &str, detail: impl Into<String>) -> Self {
        Self::new(413, "Content Too Large", Some(field), detail)
    }

    pub fn unprocessable(field: &str, detail: impl Into<String>) -> Self {
        Self::new(422, "Unprocessable Content", Some(field), detail)
    }

    /// The lane of a command has no room.
    pub fn lane_full(detail: impl Into<String>) -> Self {
        let problem = Self::new(429, "Too Many Requests", Some("lane"), detail);
        Self { header: Some(("retry-after", LANE_RETRY_AFTER_SECONDS)), ..problem }
    }

    /// An AWS service throttles the function.
    pub fn throttled() -> Self {
        Self::retryable(429, "Too Many Requests", "an AWS service throttles requests: send the same request again")
    }

    /// The same request may succeed a moment later.
    pub fn unavailable(detail: &str) -> Self {
        Self::retryable(503, "Service Unavailable", detail)
    }

    fn retryable(status: u16, title: &'static str, detail: &str) -> Self {
        let problem = Self::new(status, title, None, detail);
        Self { header: Some(("retry-after", SERVICE_RETRY_AFTER_SECONDS)), ..problem }
    }

    /// A retry does not help. The cause is in the log.
    pub fn internal() -> Self {
        let detail = "internal error: the log of the function has the cause, with the id of this request";
        Self::new(500, "Internal Server Error", None, detail)
    }

    /// The response to the request with this id.
    pub fn into_response(self, request_id: Option<&str>) -> Response {
        let body = Body {
            kind: "about:blank",
            title: self.title,
            status: self.status,
            detail: &self.detail,
            field: self.field.as_deref(),
            instance: request_id.map(|id| format!("urn:request:{id}")),
        };
        let response = Response::new(self.status, "application/problem+json", &body);
        match self.header {
            Some((name, value)) => response.with_header(name, value),
            None => response,
        }
    }
}
