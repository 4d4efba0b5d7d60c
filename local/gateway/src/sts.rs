//! STS: `GetCallerIdentity`, with which users usually test an endpoint first.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::protocol::Protocol;

/// Response to a request of the query protocol; `form` is its body.
pub(super) fn answer(account: &str, form: &[u8]) -> Response {
    let form = String::from_utf8_lossy(form);
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
    let action = percent_decode_str(action).decode_utf8_lossy();
    match &*action {
        "GetCallerIdentity" => {
            let body = format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId>\
                 <Account>{account}</Account></GetCallerIdentityResult>\
                 <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
                uuid::Uuid::new_v4()
            );
            (StatusCode::OK, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
        }
        "" => Protocol::Query.error_response(StatusCode::BAD_REQUEST, "MissingAction", "the request has no Action"),
        other => {
            let message = format!("{other} is not supported by the local stack");
            Protocol::Query.error_response(StatusCode::BAD_REQUEST, "InvalidAction", &message)
        }
    }
}
