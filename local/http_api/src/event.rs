//! The event of a request for its function, in payload format 2.0.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use data_encoding::BASE64;
use local_resources::Route;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::Options;
use super::routes::Parameters;

/// The parts of an event.
pub(super) struct Event<'a> {
    pub parts: &'a Parts,
    pub body: &'a [u8],
    pub route: &'a Route,
    pub parameters: Parameters,
    /// Access key that signed the request; `None` without IAM authorization.
    pub caller: Option<String>,
    pub request_id: &'a str,
    pub source: Option<IpAddr>,
    pub time_ms: i64,
    pub options: &'a Options,
}

impl Event<'_> {
    pub fn to_json(&self) -> String {
        let Parts { uri, headers, .. } = self.parts;
        let mut event = Map::new();
        let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
        set("version", "2.0".into());
        set("routeKey", self.route_key().into());
        set("rawPath", uri.path().into());
        set("rawQueryString", uri.query().unwrap_or_default().into());
        let cookies: Vec<_> = texts(headers, &COOKIE).flat_map(|all| split_cookies(&all)).collect();
        if !cookies.is_empty() {
            set("cookies", cookies.into());
        }
        set("headers", json!(joined_headers(headers)));
        if let Some(query) = uri.query().filter(|query| !query.is_empty()) {
            set("queryStringParameters", json!(query_parameters(query)));
        }
        if !self.parameters.is_empty() {
            set("pathParameters", json!(self.parameters));
        }
        set("requestContext", self.context());
        let text = std::str::from_utf8(self.body).ok().filter(|_| is_text(headers));
        if !self.body.is_empty() {
            set("body", text.map_or_else(|| BASE64.encode(self.body).into(), Value::from));
        }
        set("isBase64Encoded", (!self.body.is_empty() && text.is_none()).into());
        Value::Object(event).to_string()
    }

    fn route_key(&self) -> String {
        match self.route.path.as_str() {
            "$default" => "$default".to_owned(),
            path => format!("{} {path}", self.route.method),
        }
    }

    fn context(&self) -> Value {
        let Parts { method, uri, version, headers, .. } = self.parts;
        let Options { account, api_id, .. } = self.options;
        let domain = texts(headers, &HOST).next().unwrap_or_default();
        let time = jiff::Timestamp::from_millisecond(self.time_ms).unwrap_or_default();
        let mut context = json!({
            "accountId": account,
            "apiId": api_id,
            "domainName": domain,
            "domainPrefix": domain.split('.').next().unwrap_or_default(),
            "http": {
                "method": method.as_str(),
                "path": uri.path(),
                "protocol": format!("{version:?}"),
                "sourceIp": self.source.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).to_string(),
                "userAgent": texts(headers, &USER_AGENT).next().unwrap_or_default(),
            },
            "requestId": self.request_id,
            "routeKey": self.route_key(),
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": self.time_ms,
        });
        if let Some(key) = &self.caller {
            context["authorizer"] = json!({
                "iam": {
                    "accessKey": key,
                    "accountId": account,
                    "callerId": key,
                    "cognitoIdentity": null,
                    "principalOrgId": null,
                    "userArn": format!("arn:aws:iam::{account}:user/{key}"),
                    "userId": key,
                }
            });
        }
        context
    }
}

/// All values of a header as text; bytes that are not UTF-8 are replaced.
fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + 'a {
    headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn split_cookies(all: &str) -> Vec<String> {
    all.split(';').map(|cookie| cookie.trim().to_owned()).filter(|cookie| !cookie.is_empty()).collect()
}

/// Headers with their values joined by commas. `http` has lower-case names; cookies have their own event field.
fn joined_headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let value = |name| texts(headers, name).collect::<Vec<_>>().join(",");
    headers.keys().filter(|name| *name != COOKIE).map(|name| (name.as_str(), value(name))).collect()
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::<String, String>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = form_decoded(value);
        parameters
            .entry(form_decoded(name))
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert(value);
    }
    parameters
}

fn form_decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Whether API Gateway passes a body of this content type as text; all others, forms included, are passed as base64.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = texts(headers, &CONTENT_TYPE).next() else { return true };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let texts = ["application/json", "application/xml", "application/javascript"];
    kind.starts_with("text/") || kind.ends_with("+json") || kind.ends_with("+xml") || texts.contains(&kind.as_str())
}
