//! A failed operation on AWS: which operation, on what, and whether a retry may help.

use std::fmt;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed operation. A condition that does not hold is not an error, but an outcome of the write.
#[derive(Debug)]
pub struct Error {
    operation: &'static str,
    key: String,
    kind: Kind,
    source: Option<Source>,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// AWS throttled the request, or left a part of it undone. A later retry may succeed.
    Throttled,
    /// AWS did not answer, or failed. It may have done what the request asked for; a retry may succeed.
    Unavailable,
    /// A conditional write was lost to other writers as often as the retry policy allows.
    Conflict {
        /// How often it was lost.
        lost: u32,
    },
    /// AWS refused the request: a permission is missing, or the request is wrong.
    Refused,
    /// A stored item can't be read.
    Corrupt,
    /// A stored item does not exist, although another one refers to it.
    Missing,
}

impl Error {
    /// The kind of the failure.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a later retry may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unavailable | Kind::Conflict { .. })
    }

    /// Whether AWS certainly did nothing. If there was no answer, or an internal error, that is unknown.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Refused)
    }

    /// A conditional write was lost to other writers `lost` times.
    pub fn conflict(operation: &'static str, key: impl fmt::Display, lost: u32) -> Self {
        Self { operation, key: key.to_string(), kind: Kind::Conflict { lost }, source: None }
    }

    /// An item does not exist, although another one refers to it. `what` names it, such as "the list of things", and
    /// `of` the one that refers to it.
    pub fn missing(what: &'static str, of: impl fmt::Display) -> Self {
        Self { operation: what, key: of.to_string(), kind: Kind::Missing, source: None }
    }

    /// What is stored can't be read.
    pub fn unreadable(operation: &'static str, key: impl fmt::Display, source: impl Into<Source>) -> Self {
        Self { operation, key: key.to_string(), kind: Kind::Corrupt, source: Some(source.into()) }
    }

    /// A part of a request was not processed, as often as it was repeated.
    pub(crate) fn unprocessed(operation: &'static str, key: impl fmt::Display) -> Self {
        Self { operation, key: key.to_string(), kind: Kind::Throttled, source: None }
    }

    pub(crate) fn sdk<E>(operation: &'static str, key: impl fmt::Display, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let kind = match &error {
            SdkError::ConstructionFailure(_) => Kind::Refused,
            SdkError::ServiceError(service) => kind_of(service.err().code().unwrap_or_default(), status),
            _ => Kind::Unavailable,
        };
        Self { operation, key: key.to_string(), kind, source: Some(error.into()) }
    }

    /// One entry of a batch failed, although the request as a whole was answered. `caller_fault`: AWS says that the
    /// entry is wrong.
    pub(crate) fn in_batch(
        operation: &'static str,
        key: impl fmt::Display,
        code: &str,
        caller_fault: bool,
        message: Option<&str>,
    ) -> Self {
        let kind = kind_of(code, (!caller_fault).then_some(500));
        let source = format!("{code}: {}", message.unwrap_or("no message"));
        Self { operation, key: key.to_string(), kind, source: Some(source.into()) }
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, key, .. } = self;
        match self.kind {
            Kind::Throttled => write!(f, "{operation} ({key}): AWS throttled it; a later retry is safe"),
            Kind::Unavailable => write!(f, "{operation} ({key}): no answer from AWS; a retry is safe"),
            Kind::Conflict { lost } => {
                write!(
                    f,
                    "{operation} ({key}): the conditional write was lost to other writers {lost} times; a retry is safe"
                )
            }
            Kind::Refused => write!(f, "{operation} ({key}): AWS refused it; a retry will not help"),
            Kind::Corrupt => write!(f, "{operation} ({key}): what is stored can't be read; it has to be repaired"),
            Kind::Missing => write!(f, "{operation} of {key} is missing from the table"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
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

    #[test]
    fn text_names_what_failed_and_what_to_do() {
        let texts = [
            (
                Error::conflict("claiming an execution", "pump-7/1", 9),
                "claiming an execution (pump-7/1): the conditional write was lost to other writers 9 times; \
                 a retry is safe",
            ),
            (
                Error::missing("the list of things", "batch c1/7"),
                "the list of things of batch c1/7 is missing from the table",
            ),
            (with_answer("", 503), "reading an execution (key): no answer from AWS; a retry is safe"),
        ];
        for (error, text) in texts {
            assert_eq!(error.to_string(), text);
        }
        assert!(Error::conflict("claiming an execution", "pump-7/1", 9).is_retryable());
        assert!(!Error::missing("the list of things", "batch c1/7").is_retryable());
    }
}
