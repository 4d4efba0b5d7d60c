//! What a device is told when its command was called off.

use serde::Serialize;

use crate::{Execution, Status, Topic, Via};

/// A message that tells a device to leave a command alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelNotice {
    /// Where to: not where requests go, since a device that knows nothing of notices would take it for one.
    pub topic: Topic,
    /// JSON.
    pub body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    execution_id: &'a str,
    /// By which a device knows what it was asked in a broadcast.
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<&'a str>,
    attempt: u16,
}

impl CancelNotice {
    /// The notice about this execution, if it was called off and its device may have it in a message.
    pub fn of(execution: &Execution) -> Option<Self> {
        let told = execution.may_be_out() || execution.attempt > 1;
        if execution.status != Status::Canceled || !told || execution.via.shadow().is_some() {
            return None;
        }
        let body = Body {
            execution_id: execution.key.id.as_str(),
            command_id: (execution.via == Via::Broadcast).then(|| execution.command.as_str()),
            attempt: execution.attempt,
        };
        let body = serde_json::to_string(&body).ok()?;
        Some(Self { topic: Topic::cancel(&execution.key.thing), body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        By, Reason,
        execution::tests::{BORN, execution},
    };

    #[test]
    fn only_a_device_that_may_have_it_is_told() {
        let pending = execution(None);
        let sent = pending.apply(&pending.sent(BORN, By::device())).unwrap();
        let canceled = |row: &Execution| {
            let change = row.cancel(Reason::CanceledByOperator, BORN, false, By::device()).unwrap();
            CancelNotice::of(&row.apply(&change).unwrap())
        };
        let queued = pending.apply(&pending.queued(BORN, By::device())).unwrap();
        assert_eq!(canceled(&queued), None);
        assert!(canceled(&pending).is_some(), "it may just be going out");
        assert_eq!(CancelNotice::of(&sent), None);
        let notice = canceled(&sent).unwrap();
        assert_eq!(notice.topic.as_str(), "cmd/pump-7/cancel");
        assert_eq!(notice.body, format!(r#"{{"executionId":"{}","attempt":1}}"#, sent.key.id));
    }
}
