//! A report, as a value: the thing, the execution, the attempt and the reported status.

use serde_json::value::RawValue;

use crate::execution::key::Key;
use crate::execution::progress::Attempt;
use crate::ids::ExecutionId;
use crate::messages::report::channel::ReportChannel;
use crate::messages::report::reason_code::ReasonCode;
use crate::messages::report::reported_status::ReportedStatus;
use crate::messages::report::result::ReportResult;
use crate::names::ThingName;

/// A device's message about an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The thing that reports. It comes from the topic, which the IoT policy ties to the certificate, never from the
    /// payload.
    pub thing: ThingName,
    /// The execution that the report names, if it names one.
    pub execution: Option<ExecutionId>,
    /// The channel that the report arrived through.
    pub channel: ReportChannel,
    /// The attempt that the report is applied to; 1 if it does not name one.
    pub attempt: Attempt,
    /// Whether the device names the attempt. Most devices know nothing of attempts.
    pub names_attempt: bool,
    /// The attempt that the device itself names. It differs from `attempt` where the report is applied to a later one:
    /// see [`Execution::as_current_attempt`].
    ///
    /// [`Execution::as_current_attempt`]: crate::execution::row::Execution::as_current_attempt
    pub answered_attempt: Attempt,
    /// The status that the device reports.
    pub reported: ReportedStatus,
    /// The device's reason code.
    pub code: Option<ReasonCode>,
    /// The device's description of the reason: at most 512 bytes without control characters.
    pub description: Option<String>,
    /// The result of the command.
    pub result: Option<ReportResult>,
    /// Whether this is the message of a command of the AWS IoT Atlas dialect, which the device relays at its end. It says
    /// nothing of its execution: where its topic names none, see [`Report::is_relay_of`].
    pub is_relayed: bool,
    /// The whole request that the device echoes in its report. If it is a raw one of ours, which its
    /// [`RequestDigest`](crate::RequestDigest) says, the report is about that one's execution, and `execution` does
    /// not count: the caller may have written any id into it. Otherwise, and without an `execution`, it is another
    /// application's.
    pub echo: Option<Vec<u8>>,
}

impl Report {
    /// The success that a device of the AWS IoT Atlas dialect reports by echoing a command in its shadow.
    pub(crate) fn relayed(key: Key, message: Option<&RawValue>) -> Self {
        let result = message.map(|message| ReportResult::new(message.get()));
        Self { result, is_relayed: true, ..Self::success_in_shadow(key, 1, false) }
    }

    /// The success of a desired-state execution: the device reports the desired state in its shadow.
    pub fn desired_state(key: Key, attempt: Attempt) -> Self {
        Self::success_in_shadow(key, attempt, true)
    }

    fn success_in_shadow(key: Key, attempt: Attempt, names_attempt: bool) -> Self {
        Self {
            thing: key.thing,
            execution: Some(key.id),
            channel: ReportChannel::Shadow,
            attempt,
            names_attempt,
            answered_attempt: attempt,
            reported: ReportedStatus::Succeeded,
            code: None,
            description: None,
            result: None,
            is_relayed: false,
            echo: None,
        }
    }
}
