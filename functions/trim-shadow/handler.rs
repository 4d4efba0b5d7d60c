//! Trims a shadow message and publishes the result. The message is borrowed from the event and never parsed into a
//! tree.

use aws::Messages;
use domain::trim::{TrimOptions, TrimOutcome, is_answer_late};
use domain::{Timestamp, Topic};
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;
use serde_json::value::RawValue;

use super::event::{Added, Operation, TrimmedMessage};
use super::newest_versions::NewestVersions;

/// Trims messages, one after the other.
pub struct Trimmer {
    messages: Messages,
    options: TrimOptions,
    newest: NewestVersions,
}

impl Trimmer {
    /// A trimmer that publishes with `messages`.
    pub fn new(messages: Messages, options: TrimOptions) -> Self {
        Self { messages, options, newest: NewestVersions::default() }
    }

    /// Handles one event. `start`: when the invocation started.
    ///
    /// # Errors
    ///
    /// [`HandlerError`] if the event is not what a shadow rule selects, or AWS does not answer.
    pub async fn handle(&self, event: &RawValue, start: Timestamp) -> Result<(), HandlerError> {
        let added = Added::decode(event)?;
        let at = added.received_at();
        // A retry comes minutes later: what has expired since is no longer for the device.
        let now = at.max(start);
        let TrimmedMessage { thing, shadow, operation, outcome } = match added.trim(event, &self.options, now) {
            Ok(trimmed) => trimmed,
            Err(error) => {
                metrics::count(at, &[("ShadowUndecodable", 1)], &[("why", &chain(&error))]);
                return Ok(());
            }
        };
        let TrimOutcome::Trimmed { body, version, original_bytes } = outcome else { return Ok(()) };
        let topic = match operation {
            None => Topic::trimmed_shadow(&thing, shadow.as_ref()),
            Some(Operation::Get) => Topic::trimmed_answer(&thing, shadow.as_ref()),
        };
        if operation.is_some() && is_answer_late(at, now) {
            metrics::count(at, &[("ShadowAnswerLate", 1)], &[("topic", topic.as_str())]);
            return Ok(());
        }
        // A device waits for an answer, so it gets each.
        if operation.is_none() && !self.newest.record(thing, shadow, version, at) {
            metrics::count(at, &[("ShadowOldNews", 1)], &[("topic", topic.as_str())]);
            return Ok(());
        }
        let bytes = [("ShadowBytes", original_bytes as u64), ("ShadowBytesTrimmed", body.len() as u64)];
        self.messages.publish(&topic, body).await.map_err(HandlerError::Aws)?;
        metrics::count(at, &bytes, &[("topic", topic.as_str())]);
        Ok(())
    }
}
