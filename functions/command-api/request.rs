//! The HTTP request that API Gateway sends to the function, format 2.0, as far as the function reads it.

use std::{borrow::Cow, collections::HashMap};

use data_encoding::BASE64;
use domain::{Actor, Timestamp};
use serde::Deserialize;

use super::problem::Problem;

/// A request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    raw_path: String,
    headers: Option<HashMap<String, String>>,
    query_string_parameters: Option<HashMap<String, String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
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
    /// Larger bodies are refused. The payload inside a body has a smaller limit of its own.
    pub const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

    pub fn method(&self) -> &str {
        &self.request_context.http.method
    }

    /// The id that API Gateway gave the request.
    pub fn id(&self) -> &str {
        &self.request_context.request_id
    }

    /// When the request arrived at API Gateway. The function reads no other clock.
    pub fn received_at(&self) -> Timestamp {
        Timestamp::from_millis(self.request_context.time_epoch)
    }

    /// The caller's id without its session name, so that all sessions of a role are one caller. Empty if the request is
    /// not signed.
    pub fn caller(&self) -> &str {
        let caller = self.iam().and_then(|iam| iam.caller_id.as_deref()).unwrap_or_default();
        caller.split(':').next().unwrap_or_default()
    }

    /// The caller as the history names it.
    pub fn actor(&self) -> Actor {
        Actor::caller(self.iam().and_then(|iam| iam.user_arn.as_deref()).unwrap_or("unknown caller"))
    }

    fn iam(&self) -> Option<&Iam> {
        self.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.iam.as_ref())
    }

    /// The segments of the path, decoded, without the name of the stage.
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

    /// The values of the query parameters with these names. Any other parameter is refused.
    pub fn query<const N: usize>(&self, names: [&'static str; N]) -> Result<[Option<&str>; N], Problem> {
        let given = self.query_string_parameters.as_ref();
        if let Some(unknown) = given.into_iter().flat_map(HashMap::keys).find(|name| !names.contains(&name.as_str())) {
            let known = if N == 0 { "none".to_owned() } else { names.join(", ") };
            return Err(Problem::bad_request(
                unknown,
                format!("query parameter {unknown:?} is not known here; known are: {known}"),
            ));
        }
        Ok(names.map(|name| given.and_then(|given| given.get(name)).map(String::as_str)))
    }

    /// The bytes of the body.
    pub fn body(&self) -> Result<Cow<'_, [u8]>, Problem> {
        let text = self.body.as_deref().unwrap_or_default().as_bytes();
        let body = match self.is_base64_encoded {
            Some(true) => Cow::Owned(
                BASE64.decode(text).map_err(|_| Problem::bad_request("body", "the body is not valid base 64"))?,
            ),
            _ => Cow::Borrowed(text),
        };
        if body.len() > Self::MAX_BODY_BYTES {
            let (found, max) = (body.len(), Self::MAX_BODY_BYTES);
            let detail = format!(
                "the body must have at most {max} bytes: it has {found}. For many things, name a thing group or a query"
            );
            return Err(Problem::too_large("body", detail));
        }
        Ok(body)
    }
}

/// The decoded segment. A segment with an invalid escape stays as it is; no name contains `%`, so it matches nothing.
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

    /// Signs the request as the caller with this id, which has the form `role:session`.
    pub fn set_caller(&mut self, caller: &str) {
        let iam = Some(Iam { caller_id: Some(caller.to_owned()), user_arn: None });
        self.request_context.authorizer = Some(Authorizer { iam });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_escapes_of_a_path_segment_are_decoded() {
        for (segment, decoded) in
            [("pump-7", "pump-7"), ("a%3Ab", "a:b"), ("caf%C3%A9", "café"), ("%", "%"), ("%zz", "%zz"), ("%ff", "%ff")]
        {
            assert_eq!(percent_decoded(segment), decoded);
        }
    }
}
