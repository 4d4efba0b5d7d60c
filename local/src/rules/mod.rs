//! The rules engine: SQL over messages, actions, error actions, Basic Ingest.

use crate::broker::{Broker, Published};
use crate::lambda::Lambda;
use crate::sqs::Sqs;
use crate::template::TopicRule;

/// A handle on the engine; clones share it.
#[derive(Clone)]
pub struct Rules {}

/// Why a rule cannot be run: its name, and what is wrong where in its SQL.
#[derive(Debug, thiserror::Error)]
#[error("rule {rule}: {why}")]
pub struct RuleError {
    pub rule: String,
    pub why: String,
}

#[allow(unused_variables)]
impl Rules {
    /// Parses every rule; unknown functions, syntax and SQL versions are errors here, not later.
    pub fn new(
        account: &str,
        rules: &[TopicRule],
        broker: Broker,
        lambda: Lambda,
        sqs: Sqs,
    ) -> Result<Self, RuleError> {
        unimplemented!()
    }
    /// Evaluates every rule for a message of the broker's tap.
    pub fn on_published(&self, published: &Published) {
        unimplemented!()
    }
}
