//! What the API needs besides the clients that all functions have.

use aws::Registry;
use domain::RequestTopics;
use domain::fleet::SharedTopic;

use super::create_body::Topics;

/// Client and configuration of this function alone.
#[derive(Debug)]
pub struct ApiContext {
    /// Client of the AWS IoT registry: members of thing groups, results of queries.
    pub registry: Registry,
    /// Topic, besides those of thing groups, to which a broadcast may be published, and who listens there.
    pub shared_topic: Option<SharedTopic>,
    /// Topics that a caller may choose for requests.
    pub request_topics: RequestTopics,
}

impl ApiContext {
    /// The topics that a caller may choose.
    pub(super) fn topics(&self) -> Topics<'_> {
        Topics { shared: self.shared_topic.as_ref(), request: &self.request_topics }
    }
}
