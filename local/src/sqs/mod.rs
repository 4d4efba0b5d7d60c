//! SQS, as far as failed events need it: queues that hold what nobody could handle, readable with the AWS CLI.

use crate::clock::Clock;

/// A handle on all queues; clones share them.
#[derive(Clone)]
pub struct Sqs {}

#[allow(unused_variables)]
impl Sqs {
    /// `queues` are names; ARNs and URLs follow from region, account and the gateway's address.
    pub fn new(clock: Clock, region: &str, account: &str, queues: Vec<String>) -> Self {
        unimplemented!()
    }
    /// Puts a message on a queue, given by name, URL or ARN; false when there is no such queue.
    pub fn send(&self, queue: &str, body: String) -> bool {
        unimplemented!()
    }
    /// The bodies on a queue, oldest first, without receiving them.
    pub fn peek(&self, queue: &str) -> Vec<String> {
        unimplemented!()
    }
    /// `AmazonSQS.*` with the JSON protocol: SendMessage, ReceiveMessage, DeleteMessage, PurgeQueue, GetQueueUrl, GetQueueAttributes, ListQueues.
    pub fn router(&self) -> axum::Router {
        unimplemented!()
    }
}
