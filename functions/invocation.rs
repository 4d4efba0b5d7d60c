//! What time it is for a function whose event does not say: a record of a stream may be handed over long after it was written. Lambda says
//! by when an invocation has to end, and the template how long it may take: so it is known when it began, and no clock is read.

use domain::Timestamp;
use lambda_runtime::Context;

/// When an invocation began that may take so many seconds.
pub fn began(context: &Context, seconds: u32) -> Timestamp {
    let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Timestamp::from_millis(deadline).minus_seconds(seconds)
}
