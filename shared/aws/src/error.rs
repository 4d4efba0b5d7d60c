//! What AWS answers, as a failed operation: which operation, on what, and whether a retry may help.

use std::fmt::Display;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

pub(crate) use calls::{Error, Kind};

/// Makes an [`Error`] of the answer of an SDK.
pub(crate) trait FromAnswer {
    /// A request failed.
    fn sdk<E>(operation: &'static str, key: impl Display, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static;

    /// A part of a request was not processed, as often as it was repeated.
    fn unprocessed(operation: &'static str, key: impl Display) -> Self;

    /// One entry of a batch failed, although the request as a whole was answered. `caller_fault`: AWS says that the
    /// entry is wrong.
    fn in_batch(
        operation: &'static str,
        key: impl Display,
        code: &str,
        caller_fault: bool,
        message: Option<&str>,
    ) -> Self;
}

impl FromAnswer for Error {
    fn sdk<E>(operation: &'static str, key: impl Display, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let kind = match &error {
            SdkError::ConstructionFailure(_) => Kind::Refused,
            SdkError::ServiceError(service) => kind_of(service.err().code().unwrap_or_default(), status),
            _ => Kind::Unavailable,
        };
        Self::new(operation, key, kind, Some(error.into()))
    }

    fn unprocessed(operation: &'static str, key: impl Display) -> Self {
        Self::new(operation, key, Kind::Throttled, None)
    }

    fn in_batch(
        operation: &'static str,
        key: impl Display,
        code: &str,
        caller_fault: bool,
        message: Option<&str>,
    ) -> Self {
        let kind = kind_of(code, (!caller_fault).then_some(500));
        let source = format!("{code}: {}", message.unwrap_or("no message"));
        Self::new(operation, key, kind, Some(source.into()))
    }
}

/// The kind of a failure by its error code and HTTP status.
fn kind_of(code: &str, status: Option<u16>) -> Kind {
    match (code, status) {
        (
            "ThrottlingException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "ThrottledException",
            _,
        )
        | (_, Some(429)) => Kind::Throttled,
        (_, Some(500..)) => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{error::ErrorMetadata, operation::get_item::GetItemError};

    use super::*;

    fn with_answer(code: &str, status: u16) -> Error {
        let response = HttpResponse::new(status.try_into().unwrap(), "".into());
        let error = GetItemError::generic(ErrorMetadata::builder().code(code).build());
        Error::sdk("reading an execution", "key", SdkError::service_error(error, response))
    }

    #[test]
    fn only_a_definite_answer_is_a_refusal() {
        assert!(with_answer("ThrottlingException", 429).is_refusal());
        assert!(with_answer("ForbiddenException", 403).is_refusal());
        assert!(with_answer("InvalidRequestException", 400).is_refusal());
        assert!(!with_answer("InternalFailureException", 500).is_refusal());
        assert!(!with_answer("ServiceUnavailableException", 503).is_refusal());
        let timeout: SdkError<GetItemError, HttpResponse> = SdkError::timeout_error("no answer in time");
        assert!(!Error::sdk("reading an execution", "key", timeout).is_refusal());
    }

    #[test]
    fn entry_of_a_batch_fails_by_its_own_code() {
        let failed = |code, caller_fault| Error::in_batch("sending", "queue", code, caller_fault, Some("why")).kind();
        assert_eq!(failed("ThrottlingException", false), Kind::Throttled);
        assert_eq!(failed("InternalError", false), Kind::Unavailable);
        assert_eq!(failed("InvalidParameterValue", true), Kind::Refused);
        let error = Error::in_batch("sending", "queue", "InternalError", false, Some("why"));
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("InternalError: why"));
    }

    #[test]
    fn throttling_and_server_errors_are_retryable() {
        assert_eq!(kind_of("ThrottlingException", Some(400)), Kind::Throttled);
        assert_eq!(kind_of("", Some(429)), Kind::Throttled);
        assert_eq!(kind_of("InternalServerError", Some(500)), Kind::Unavailable);
        assert_eq!(kind_of("ValidationException", Some(400)), Kind::Refused);
        assert_eq!(kind_of("ResourceNotFoundException", Some(400)), Kind::Refused);
        assert_eq!(kind_of("", None), Kind::Refused);
        assert!(with_answer("ThrottlingException", 429).is_retryable());
        assert!(with_answer("InternalServerError", 500).is_retryable());
        assert!(!with_answer("ValidationException", 400).is_retryable());
    }
}
