//! Which operation on what failed, and whether a retry may help.

use std::fmt;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed operation. That a condition did not hold is no failure: it is an answer.
#[derive(Debug)]
pub struct Error {
    operation: &'static str,
    key: String,
    kind: Kind,
    source: Option<Source>,
}

/// Who has to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody: less of it, a little later.
    Throttled,
    /// Nobody: the same, a little later.
    Unavailable,
    /// Whoever deployed or wrote this: it is not allowed, or not right.
    Refused,
    /// Whoever wrote what is stored: it can't be read.
    Corrupt,
}

impl Error {
    /// What kind of failure.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unavailable)
    }

    /// Whether it is certain that nothing was done. Of what got no answer, or a confused one, nobody knows.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Refused)
    }

    /// Others were faster, again and again.
    pub fn busy(operation: &'static str, key: impl fmt::Display) -> Self {
        Self { operation, key: key.to_string(), kind: Kind::Unavailable, source: None }
    }

    /// What was there a moment ago is gone.
    pub fn gone(key: impl fmt::Display) -> Self {
        Self { operation: "writing an execution", key: key.to_string(), kind: Kind::Corrupt, source: None }
    }

    /// What is stored can't be read.
    pub fn unreadable(operation: &'static str, key: impl fmt::Display, source: impl Into<Source>) -> Self {
        Self::corrupt(operation, key, source)
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

    /// One entry of a batch failed, though the request as a whole was answered.
    pub(crate) fn in_batch(
        operation: &'static str,
        key: impl fmt::Display,
        code: &str,
        our_fault: bool,
        message: Option<&str>,
    ) -> Self {
        let kind = kind_of(code, (!our_fault).then_some(500));
        let source = format!("{code}: {}", message.unwrap_or("no message"));
        Self { operation, key: key.to_string(), kind, source: Some(source.into()) }
    }

    pub(crate) fn corrupt(operation: &'static str, key: impl fmt::Display, source: impl Into<Source>) -> Self {
        Self { operation, key: key.to_string(), kind: Kind::Corrupt, source: Some(source.into()) }
    }
}

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
        let what = match self.kind {
            Kind::Throttled => "was throttled",
            Kind::Unavailable => "got no answer",
            Kind::Refused => "was refused",
            Kind::Corrupt => "found something unreadable",
        };
        write!(f, "{} ({}) {what}", self.operation, self.key)
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

    fn answered(code: &str, status: u16) -> Error {
        let response = HttpResponse::new(status.try_into().unwrap(), "".into());
        let error = GetItemError::generic(ErrorMetadata::builder().code(code).build());
        Error::sdk("asking", "key", SdkError::service_error(error, response))
    }

    #[test]
    fn only_a_definite_answer_is_a_refusal() {
        assert!(answered("ThrottlingException", 429).is_refusal());
        assert!(answered("ForbiddenException", 403).is_refusal());
        assert!(answered("InvalidRequestException", 400).is_refusal());
        assert!(!answered("InternalFailureException", 500).is_refusal());
        assert!(!answered("ServiceUnavailableException", 503).is_refusal());
        let silence: SdkError<GetItemError, HttpResponse> = SdkError::timeout_error("no answer in time");
        assert!(!Error::sdk("asking", "key", silence).is_refusal());
    }

    #[test]
    fn an_entry_of_a_batch_fails_by_its_own_code() {
        let failed = |code, our_fault| Error::in_batch("sending", "queue", code, our_fault, Some("why")).kind();
        assert_eq!(failed("ThrottlingException", false), Kind::Throttled);
        assert_eq!(failed("InternalError", false), Kind::Unavailable);
        assert_eq!(failed("InvalidParameterValue", true), Kind::Refused);
        let told = Error::in_batch("sending", "queue", "InternalError", false, Some("why"));
        let source = std::error::Error::source(&told).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("InternalError: why"));
    }

    #[test]
    fn only_what_passes_by_itself_is_retried() {
        assert_eq!(kind_of("ThrottlingException", Some(400)), Kind::Throttled);
        assert_eq!(kind_of("", Some(429)), Kind::Throttled);
        assert_eq!(kind_of("InternalServerError", Some(500)), Kind::Unavailable);
        assert_eq!(kind_of("ValidationException", Some(400)), Kind::Refused);
        assert_eq!(kind_of("ResourceNotFoundException", Some(400)), Kind::Refused);
        assert_eq!(kind_of("", None), Kind::Refused);
    }
}
