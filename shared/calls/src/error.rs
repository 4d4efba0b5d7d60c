//! A failed operation: which operation, on what, and whether a retry may help.

use std::fmt;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// An operation on `key` failed, such as "reading an execution". Both are shown.
    pub fn new(operation: &'static str, key: impl fmt::Display, kind: Kind, source: Option<Source>) -> Self {
        Self { operation, key: key.to_string(), kind, source }
    }

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
        Self::new(operation, key, Kind::Conflict { lost }, None)
    }

    /// An item does not exist, although another one refers to it. `what` names it, such as "the list of things", and
    /// `of` the one that refers to it.
    pub fn missing(what: &'static str, of: impl fmt::Display) -> Self {
        Self::new(what, of, Kind::Missing, None)
    }

    /// What is stored can't be read.
    pub fn unreadable(operation: &'static str, key: impl fmt::Display, source: impl Into<Source>) -> Self {
        Self::new(operation, key, Kind::Corrupt, Some(source.into()))
    }
}

/// The text of an error and of all its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
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
    use super::*;

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
            (
                Error::new("reading an execution", "key", Kind::Unavailable, None),
                "reading an execution (key): no answer from AWS; a retry is safe",
            ),
        ];
        for (error, text) in texts {
            assert_eq!(error.to_string(), text);
        }
        assert!(Error::conflict("claiming an execution", "pump-7/1", 9).is_retryable());
        assert!(!Error::missing("the list of things", "batch c1/7").is_retryable());
        let caused = Error::unreadable("reading a lane", "pump-7/valve", "no ids");
        assert!(chain(&caused).ends_with("it has to be repaired: no ids"), "{}", chain(&caused));
    }
}
