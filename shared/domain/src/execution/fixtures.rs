//! Commands and executions for unit tests.

use crate::actor::Actor;
use crate::command::deadlines::Deadlines;
use crate::command::definition::Definition;
use crate::command::delivery::Delivery;
use crate::command::fingerprint::Fingerprint;
use crate::command::lane::{Lane, LaneName, OnFailure};
use crate::command::request_form::RequestForm;
use crate::command::retry::{Retry, RetryOptions};
use crate::command::row::Command;
use crate::execution::channel::Channel;
use crate::execution::row::Execution;
use crate::fleet::control::Control;
use crate::fleet::target::Target;
use crate::ids::CommandId;
use crate::messages::report::device_report::Report;
use crate::names::{CommandName, ThingName};
use crate::timestamp::Timestamp;
use crate::topic::Topic;

pub(crate) const CREATED_AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

pub(crate) fn actor() -> Actor {
    Actor::function("test")
}

pub(crate) fn thing() -> ThingName {
    ThingName::parse("pump-7").unwrap()
}

/// A command with a ttl of 60 s and a timeout of 600 s.
pub(crate) fn command(delivery: Delivery, heartbeat: Option<i64>) -> Command {
    Command {
        id: CommandId::from_request(CREATED_AT, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            form: RequestForm::default(),
            target: Target::Thing(thing()),
            delivery,
            shadow: None,
            retry: None,
            lane: None,
            supersede: false,
            deadlines: Deadlines::new(Some(60), Some(600), heartbeat).unwrap(),
        },
        created_at: CREATED_AT,
        created_by: Actor::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
        audit: Vec::new(),
    }
}

pub(crate) fn create(delivery: Delivery, heartbeat: Option<i64>) -> Execution {
    let command = command(delivery, heartbeat);
    Execution::create(&command, &thing(), Channel::of(&command, None))
}

/// A direct execution.
pub(crate) fn execution(heartbeat: Option<i64>) -> Execution {
    create(Delivery::Direct, heartbeat)
}

/// A direct execution of at most three attempts, with a retry policy.
pub(crate) fn retried(heartbeat: Option<i64>, options: &RetryOptions<'_>) -> Execution {
    let mut command = command(Delivery::Direct, heartbeat);
    command.definition.retry = Some(Retry::new(options, 60).unwrap());
    Execution::create(&command, &thing(), Channel::Direct)
}

/// An execution in the lane `valve`, which stops on failure.
pub(crate) fn in_lane(channel: Channel) -> Execution {
    let mut command = command(Delivery::Direct, None);
    command.definition.lane = Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure: OnFailure::Stop });
    Execution::create(&command, &thing(), channel)
}

/// The report of a payload from the thing of the row.
pub(crate) fn report(execution: &Execution, payload: &str) -> Report {
    Report::decode(Topic::response(&execution.key.thing).as_str(), payload.as_bytes()).unwrap()
}

/// The execution after a report, `seconds` after its creation; none if the report is stale.
pub(crate) fn after_report(execution: &Execution, seconds: u32, payload: &str) -> Option<Execution> {
    let report = report(execution, payload);
    execution.apply(&report.change(execution.key.clone(), CREATED_AT.plus_seconds(seconds)))
}
