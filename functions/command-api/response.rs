//! The HTTP response that API Gateway expects from the function, format 2.0.

use std::collections::HashMap;

use serde::Serialize;

/// A response with a text body.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// HTTP status code.
    pub status_code: u16,
    /// Headers by their names in lower case.
    pub headers: HashMap<&'static str, String>,
    /// The body.
    pub body: String,
    is_base64_encoded: bool,
}

impl Response {
    /// A response whose body is `body` as JSON. A value that has no JSON form becomes status 500.
    pub fn new(status_code: u16, content_type: &str, body: &impl Serialize) -> Self {
        let (status_code, body) = match serde_json::to_string(body) {
            Ok(body) => (status_code, body),
            Err(error) => {
                tracing::error!(%error, "a response body could not be written as JSON");
                (500, "{}".to_owned())
            }
        };
        let headers = HashMap::from([("content-type", content_type.to_owned())]);
        Self { status_code, headers, body, is_base64_encoded: false }
    }

    /// A response of type `application/json`.
    pub fn json(status_code: u16, body: &impl Serialize) -> Self {
        Self::new(status_code, "application/json", body)
    }

    /// The response with one more header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }
}
