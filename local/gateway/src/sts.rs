//! STS, as far as `aws sts get-caller-identity`: what people try first.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::refusal::Protocol;

/// Answers a request of the query protocol.
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
        "" => Protocol::Query.refuse(StatusCode::BAD_REQUEST, "MissingAction", "this is no request of an AWS service"),
        other => {
            let message = format!("{other} is not offered by the local stack");
            Protocol::Query.refuse(StatusCode::BAD_REQUEST, "InvalidAction", &message)
        }
    }
}
