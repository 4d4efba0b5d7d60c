//! The HTTP API's request and response, format 2.0, as far as this function reads them.

use std::{borrow::Cow, collections::HashMap};

use data_encoding::BASE64;
use domain::{By, Timestamp};
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// What API Gateway hands over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    raw_path: String,
    headers: Option<HashMap<String, String>>,
    query_string_parameters: Option<HashMap<String, String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    request_context: Context,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    http: Http,
    request_id: String,
    stage: Option<String>,
    time_epoch: i64,
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    iam: Option<Iam>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Iam {
    caller_id: Option<String>,
    user_arn: Option<String>,
}

impl Request {
    /// A request with a larger body is refused. The payload within has its own, smaller limit.
    pub const LARGEST_BODY: usize = 2 * 1024 * 1024;

    pub fn method(&self) -> &str {
        &self.request_context.http.method
    }

    pub fn id(&self) -> &str {
        &self.request_context.request_id
    }

    /// When it arrived: the only clock that there is.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.request_context.time_epoch)
    }

    /// Who asks, as far as it stays the same from one session of a role to the next.
    pub fn caller(&self) -> &str {
        let iam = self.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.iam.as_ref());
        let caller = iam.and_then(|iam| iam.caller_id.as_deref()).unwrap_or_default();
        caller.split(':').next().unwrap_or_default()
    }

    /// Who asks, as history names them.
    pub fn by(&self) -> By {
        let iam = self.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.iam.as_ref());
        By::caller(iam.and_then(|iam| iam.user_arn.as_deref()).unwrap_or("unknown caller"))
    }

    /// The path's segments; a stage that has a name is not one of them.
    pub fn path(&self) -> Vec<Cow<'_, str>> {
        let mut segments: Vec<_> = self.raw_path.trim_matches('/').split('/').map(percent_decoded).collect();
        if segments.first().map(AsRef::as_ref) == self.request_context.stage.as_deref() {
            segments.remove(0);
        }
        segments
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.headers.as_ref()?;
        headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The parameters of the query, which may be these and no others.
    pub fn query<const N: usize>(&self, names: [&'static str; N]) -> Result<[Option<&str>; N], Problem> {
        let given = self.query_string_parameters.as_ref();
        if let Some(odd) = given.into_iter().flat_map(HashMap::keys).find(|name| !names.contains(&name.as_str())) {
            let right = if N == 0 { "none".to_owned() } else { names.join(", ") };
            return Err(Problem::bad_request(
                odd,
                format!("query parameter {odd:?} is not known here; known are: {right}"),
            ));
        }
        Ok(names.map(|name| given.and_then(|given| given.get(name)).map(String::as_str)))
    }

    /// The body's bytes.
    pub fn body(&self) -> Result<Cow<'_, [u8]>, Problem> {
        let text = self.body.as_deref().unwrap_or_default().as_bytes();
        let body = match self.is_base64_encoded {
            Some(true) => Cow::Owned(
                BASE64.decode(text).map_err(|_| Problem::bad_request("body", "the body is not valid base 64"))?,
            ),
            _ => Cow::Borrowed(text),
        };
        if body.len() > Self::LARGEST_BODY {
            let found = body.len();
            let most = Self::LARGEST_BODY;
            return Err(Problem::too_large(
                "body",
                format!(
                    "the body has {found} bytes, more than {most}; many things are named by a thing group or a query, not listed"
                ),
            ));
        }
        Ok(body)
    }
}

/// What API Gateway answers with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The status.
    pub status_code: u16,
    /// The headers, by their names in lower case.
    pub headers: HashMap<&'static str, String>,
    /// The body, text in every case.
    pub body: String,
    is_base64_encoded: bool,
}

impl Response {
    /// An answer with this body, as JSON of this type.
    pub fn new(status_code: u16, content_type: &str, body: &impl Serialize) -> Self {
        let (status_code, body) = match serde_json::to_string(body) {
            Ok(body) => (status_code, body),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                (500, "{}".to_owned())
            }
        };
        let headers = HashMap::from([("content-type", content_type.to_owned())]);
        Self { status_code, headers, body, is_base64_encoded: false }
    }

    /// An answer in JSON.
    pub fn json(status_code: u16, body: &impl Serialize) -> Self {
        Self::new(status_code, "application/json", body)
    }

    /// The same with one more header.
    pub fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(header, value.into());
        self
    }
}

/// A segment as it was meant. One that is not meant well stays as it is, and names nothing.
fn percent_decoded(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(match byte {
            b'%' => match (hex(rest.next()), hex(rest.next())) {
                (Some(high), Some(low)) => (high * 16 + low) as u8,
                _ => return Cow::Borrowed(segment),
            },
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(segment), Cow::Owned)
}

#[cfg(test)]
impl Request {
    pub fn replace_body(&mut self, body: String) {
        self.body = Some(body);
    }

    pub fn become_session(&mut self, caller: &str) {
        let iam = Some(Iam { caller_id: Some(caller.to_owned()), user_arn: None });
        self.request_context.authorizer = Some(Authorizer { iam });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_read_as_it_was_meant() {
        for (written, meant) in
            [("pump-7", "pump-7"), ("a%3Ab", "a:b"), ("caf%C3%A9", "café"), ("%", "%"), ("%zz", "%zz"), ("%ff", "%ff")]
        {
            assert_eq!(percent_decoded(written), meant);
        }
    }
}
