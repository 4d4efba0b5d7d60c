//! The topics that a caller may choose for requests, as template.yaml passes them.

use domain::RequestTopics;

use crate::config;
use crate::handler_error::chain;

/// The topics in REQUEST_TOPICS; none where it is empty. One that is refused is left out, with an error in the log.
pub fn from_env() -> RequestTopics {
    let (topics, refused) = RequestTopics::parse(&config::optional("REQUEST_TOPICS").unwrap_or_default());
    for error in refused {
        tracing::error!(error = chain(&error), "a topic of RequestTopics is left out: no request can have it");
    }
    topics
}
