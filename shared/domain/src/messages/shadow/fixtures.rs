//! Commands and device behaviour for the tests of shadows.

pub(super) use proptest::prelude::*;
pub(super) use serde_json::{Value, json};

pub(super) use crate::command::payload::Payload;
pub(super) use crate::command::row::Command;
pub(super) use crate::execution::fixtures::CREATED_AT;
pub(super) use crate::execution::row::Execution;
pub(super) use crate::messages::report::device_report::Report;
pub(super) use crate::messages::report::error::ReportError;
pub(super) use crate::messages::report::reported_status::ReportedStatus;
pub(super) use crate::messages::shadow::error::ShadowError;
pub(super) use crate::messages::shadow::model::{Shadow, at, attributes, body, leaves, merge, shadow};
pub(super) use crate::messages::shadow::route::ShadowRoute;
pub(super) use crate::messages::shadow::update::ShadowUpdate;
pub(super) use crate::names::ShadowName;

use crate::command::delivery::Delivery;
use crate::execution::channel::Channel;
use crate::execution::fixtures::{command, thing};
use crate::ids::CommandId;

pub(super) fn payload(json: &str) -> Payload {
    Payload::parse(json).unwrap()
}

/// A command and its execution on `pump-7`; each number is another command.
pub(super) fn sent(number: u32, json: Option<&str>) -> (Command, Execution) {
    let mut command = command(Delivery::Direct, None);
    command.id = CommandId::from_request(CREATED_AT, &number.to_string());
    command.definition.payload = json.map(payload);
    let execution = Execution::create(&command, &thing(), Channel::Direct);
    (command, execution)
}

pub(super) fn delivery(route: &ShadowRoute, sent: &(Command, Execution)) -> ShadowUpdate {
    route.delivery_update(&sent.0, &sent.1, CREATED_AT).unwrap()
}

pub(super) fn removal(route: &ShadowRoute, sent: &(Command, Execution), shadow: &Shadow) -> Option<ShadowUpdate> {
    route.removal_update(&sent.1.key, sent.0.definition.payload.as_ref(), Some(&shadow.document())).unwrap()
}

/// The shadow after the removal of the command; a second removal finds nothing.
pub(super) fn removed(route: &ShadowRoute, sent: &(Command, Execution), mut shadow: Shadow) -> Shadow {
    if let Some(update) = removal(route, sent, &shadow) {
        // In the map, only a report that comes meanwhile matters.
        let is_versioned = route.needs_document() || body(&update)["state"].get("reported").is_none();
        let version = is_versioned.then(|| json!(shadow.version));
        assert_eq!(body(&update).get("version"), version.as_ref(), "the version of the document that was read");
        shadow.write(&update);
    }
    assert_eq!(removal(route, sent, &shadow), None, "{shadow:?}");
    shadow
}

pub(super) fn holds(shadow: &Shadow, sent: &(Command, Execution)) -> bool {
    String::from_utf8(shadow.document()).unwrap().contains(sent.1.key.id.as_str())
}

/// The device reports its whole delta, as the devices of AWS's examples do.
pub(super) fn echo_delta(shadow: &mut Shadow) {
    if let Some(delta) = shadow.delta() {
        shadow.update(&json!({"state": {"reported": delta}}));
    }
}
