//! The faults of a call between a function and AWS, and the error responses of AWS for them.

use bytes::Bytes;

use crate::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    None,
    /// AWS throttles the call and applies nothing.
    Throttled,
    /// AWS answers with a 500 and applies nothing.
    ErrorNotApplied,
    /// AWS applies the call and answers with a 500.
    ErrorApplied,
    /// The request never arrives.
    RequestLost,
    /// AWS applies the call, and the response never arrives.
    ResponseLost,
    /// AWS applies the call so late that the caller no longer waits for the response.
    Delayed,
    /// The calling function crashes before the request is sent.
    CrashBefore,
    /// The calling function crashes after AWS has applied the call.
    CrashAfter,
}

impl CallFault {
    /// Draws a fault with a probability of `per_mille` in a thousand.
    pub fn draw(per_mille: usize, random: &mut Random) -> Self {
        // A fault that is listed twice is twice as likely.
        const FAULTS: [CallFault; 11] = [
            CallFault::Throttled,
            CallFault::Throttled,
            CallFault::ErrorNotApplied,
            CallFault::ErrorApplied,
            CallFault::RequestLost,
            CallFault::ResponseLost,
            CallFault::ResponseLost,
            CallFault::Delayed,
            CallFault::CrashBefore,
            CallFault::CrashAfter,
            CallFault::CrashAfter,
        ];
        if random.chance(per_mille) { *random.pick(&FAULTS) } else { Self::None }
    }
}

/// The response of AWS to a throttled call.
pub fn throttled(is_dynamodb: bool) -> http::Response<Bytes> {
    error(is_dynamodb, if is_dynamodb { 400 } else { 429 }, "ThrottlingException")
}

/// The response of AWS to a call that failed inside of AWS.
pub fn internal_error(is_dynamodb: bool) -> http::Response<Bytes> {
    error(is_dynamodb, 500, if is_dynamodb { "InternalServerError" } else { "InternalFailureException" })
}

fn error(is_dynamodb: bool, status: u16, code: &str) -> http::Response<Bytes> {
    let body = match is_dynamodb {
        true => format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"injected"}}"#),
        false => r#"{"message":"injected"}"#.to_owned(),
    };
    http::Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-amzn-errortype", code)
        .body(body.into())
        .expect("the response is valid")
}
