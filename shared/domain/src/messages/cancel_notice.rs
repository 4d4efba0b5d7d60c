//! The cancel notice: the message that tells a device that an execution was canceled.

use serde::Serialize;

use crate::execution::channel::Channel;
use crate::execution::row::Execution;
use crate::status::Status;
use crate::topic::Topic;

/// The message that tells a device to stop an execution, or not to start it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelNotice {
    /// The topic of cancel notices. It is not the topic of requests: a device that does not know notices would take one
    /// for a request.
    pub topic: Topic,
    /// The JSON body.
    pub body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    execution_id: &'a str,
    /// Only for a broadcast, whose request names the command and not the execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<&'a str>,
    attempt: u16,
}

impl CancelNotice {
    /// The notice for a canceled execution whose device may have received a request in a message; `None` for any other
    /// execution. A request in a shadow is canceled by its removal from the shadow.
    pub fn of(execution: &Execution) -> Option<Self> {
        let may_have_request = execution.may_be_delivered() || execution.attempt > 1;
        if execution.status != Status::Canceled || !may_have_request || execution.channel.shadow().is_some() {
            return None;
        }
        let body = Body {
            execution_id: execution.key.id.as_str(),
            command_id: (execution.channel == Channel::Broadcast).then(|| execution.command.as_str()),
            attempt: execution.attempt,
        };
        let body = serde_json::to_string(&body).ok()?;
        Some(Self { topic: Topic::cancel(&execution.key.thing), body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::actor::Actor;
    use crate::execution::fixtures::{CREATED_AT, execution};
    use crate::status::Reason;

    #[test]
    fn only_a_device_that_may_have_the_request_gets_a_notice() {
        let pending = execution(None);
        let sent = pending.apply(&pending.sent(CREATED_AT, Actor::device())).unwrap();
        let canceled = |row: &Execution| {
            let change = row.cancel(Reason::CanceledByOperator, CREATED_AT, false, Actor::device()).unwrap();
            CancelNotice::of(&row.apply(&change).unwrap())
        };
        let queued = pending.apply(&pending.queued(CREATED_AT, Actor::device())).unwrap();
        assert_eq!(canceled(&queued), None);
        assert!(canceled(&pending).is_some(), "the request may be on its way");
        assert_eq!(CancelNotice::of(&sent), None);
        let notice = canceled(&sent).unwrap();
        assert_eq!(notice.topic.as_str(), "cmd/pump-7/cancel");
        assert_eq!(notice.body, format!(r#"{{"executionId":"{}","attempt":1}}"#, sent.key.id));
    }
}
