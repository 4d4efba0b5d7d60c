//! Which problem each error of `domain` and `aws` becomes.

use domain::{
    BroadcastError, CancelError, ChannelError, ControlError, DeadlineError, DefinitionError, DeliveryError,
    IdempotencyKeyError, PayloadError, RawPayloadError, RetryError, WhyError,
    fleet::{AbortError, RateChangeError, ScheduleError, SelectionError},
};
use runtime::handler_error::chain;

use super::problem::Problem;

impl From<aws::Error> for Problem {
    fn from(error: aws::Error) -> Self {
        tracing::error!(error = chain(&error), "an AWS call failed while a request was served");
        match error.kind() {
            aws::Kind::Throttled => Self::throttled(),
            aws::Kind::Unavailable => Self::unavailable("an AWS service did not answer: send the same request again"),
            aws::Kind::Conflict { .. } => {
                Self::unavailable("other requests changed the same item at the same time: send the same request again")
            }
            aws::Kind::Refused | aws::Kind::Corrupt | aws::Kind::Missing => Self::internal(),
        }
    }
}

impl From<IdempotencyKeyError> for Problem {
    fn from(error: IdempotencyKeyError) -> Self {
        Self::bad_request("Idempotency-Key", error.to_string())
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

impl From<PayloadError> for Problem {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::TooLarge { .. } => Self::too_large("payload", error.to_string()),
            PayloadError::NotJson(_) => Self::bad_request("payload", error.to_string()),
        }
    }
}

impl From<RawPayloadError> for Problem {
    fn from(error: RawPayloadError) -> Self {
        match error {
            RawPayloadError::TooLarge { .. } => Self::too_large(error.field(), error.to_string()),
            _ => Self::bad_request(error.field(), chain(&error)),
        }
    }
}

impl From<SelectionError> for Problem {
    fn from(error: SelectionError) -> Self {
        Self::unprocessable(error.field(), error.to_string())
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
        Self::unprocessable(error.field(), error.to_string())
    }
}

impl From<DefinitionError> for Problem {
    fn from(error: DefinitionError) -> Self {
        Self::unprocessable(error.field(), error.to_string())
    }
}

impl From<ChannelError> for Problem {
    fn from(error: ChannelError) -> Self {
        Self::unprocessable(error.field(), chain(&error))
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        let field = if error == CancelError::Running { "force" } else { "status" };
        Self::conflict(field, error.to_string())
    }
}

impl From<WhyError> for Problem {
    fn from(error: WhyError) -> Self {
        Self::bad_request("why", error.to_string())
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        Self::conflict("state", error.to_string())
    }
}

impl From<RateChangeError> for Problem {
    fn from(error: RateChangeError) -> Self {
        let field = match error {
            RateChangeError::OneThing => "commandId",
            RateChangeError::Immediate => "rollout",
            RateChangeError::Control(_) => "state",
        };
        Self::conflict(field, error.to_string())
    }
}
