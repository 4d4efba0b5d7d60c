//! What the API needs besides the clients that all functions have.

use aws::Registry;
use domain::fleet::SharedTopic;

/// Client and configuration of this function alone.
#[derive(Debug)]
pub struct ApiContext {
    /// Client of the AWS IoT registry: members of thing groups, results of queries.
    pub registry: Registry,
    /// Topic, besides those of thing groups, to which a broadcast may be published, and who listens there.
    pub shared_topic: Option<SharedTopic>,
}
