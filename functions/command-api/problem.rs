//! Errors as RFC 9457 has them: what is wrong, where, and what would be right; nothing of what is inside.

use crate::failure::chain;
use domain::{
    BroadcastError, DeadlineError, DeliveryError, NotControlled, PayloadError, RetryError,
    fleet::{AbortError, ScheduleError},
};
use serde::Serialize;

use super::http::Response;

/// What is wrong with a request, or with us.
#[derive(Debug)]
pub struct Problem {
    pub status: u16,
    title: &'static str,
    detail: String,
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

    pub fn method_not_allowed(allowed: &'static str) -> Self {
        let problem = Self::new(405, "Method Not Allowed", None, format!("only {allowed} is understood here"));
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

    pub fn too_many(field: &str, detail: impl Into<String>) -> Self {
        Self { header: Some(("retry-after", "10")), ..Self::new(429, "Too Many Requests", Some(field), detail) }
    }

    pub fn internal() -> Self {
        Self::new(500, "Internal Server Error", None, "something is wrong here; the request's id helps to find it")
    }

    /// It is as it should be soon.
    pub fn later(detail: &str) -> Self {
        Self::again(503, "Service Unavailable", detail)
    }

    fn again(status: u16, title: &'static str, detail: &str) -> Self {
        Self { header: Some(("retry-after", "1")), ..Self::new(status, title, None, detail) }
    }

    /// The answer to the request with this id.
    pub fn answer(self, request_id: Option<&str>) -> Response {
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
            Some((name, value)) => response.with(name, value),
            None => response,
        }
    }
}

impl From<aws::Error> for Problem {
    fn from(error: aws::Error) -> Self {
        tracing::error!(error = chain(&error), "a request could not be served");
        match error.kind() {
            aws::Kind::Throttled => Self::again(429, "Too Many Requests", "too much at once: try the same again"),
            aws::Kind::Unavailable => Self::later("try the same again a little later"),
            aws::Kind::Refused | aws::Kind::Corrupt => Self::internal(),
        }
    }
}

impl From<DeadlineError> for Problem {
    fn from(error: DeadlineError) -> Self {
        Self::bad_request(error.field(), error.to_string())
    }
}

impl From<DeliveryError> for Problem {
    fn from(error: DeliveryError) -> Self {
        Self::bad_request("delivery", error.to_string())
    }
}

impl From<RetryError> for Problem {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::WaitBeyondTtl { .. } => Self::unprocessable(error.field(), error.to_string()),
            _ => Self::bad_request(error.field(), error.to_string()),
        }
    }
}

impl From<AbortError> for Problem {
    fn from(error: AbortError) -> Self {
        Self::unprocessable(&error.field(), error.to_string())
    }
}

impl From<ScheduleError> for Problem {
    fn from(error: ScheduleError) -> Self {
        Self::unprocessable(error.field(), error.to_string())
    }
}

impl From<BroadcastError> for Problem {
    fn from(error: BroadcastError) -> Self {
        let field = if let BroadcastError::Spread { .. } = error { "broadcast.spread" } else { "broadcast.topic" };
        Self::unprocessable(field, error.to_string())
    }
}

impl From<NotControlled> for Problem {
    fn from(error: NotControlled) -> Self {
        Self::conflict("state", error.to_string())
    }
}

impl From<PayloadError> for Problem {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::TooLarge { .. } => Self::too_large("payload", error.to_string()),
            PayloadError::NotJson(_) => Self::bad_request("payload", error.to_string()),
        }
    }
}
