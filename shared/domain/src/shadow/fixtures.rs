//! For tests: commands, the ways they take, and what devices do with them.

pub(super) use proptest::prelude::*;
pub(super) use serde_json::{Value, json};

pub(super) use super::{
    model::{Shadow, at, attributes, body, leaves, merge, shadow},
    *,
};
pub(super) use crate::{
    Command, CommandId, Delivery, Execution, Payload, Report, ReportError, Reported, ShadowName,
    execution::tests::{BORN, command},
};

pub(super) fn payload(json: &str) -> Payload {
    Payload::parse(json).unwrap()
}

/// A command and its execution at `pump-7`; another number is another command.
pub(super) fn sent(number: u32, json: Option<&str>) -> (Command, Execution) {
    let mut command = command(Delivery::Direct, None);
    command.id = CommandId::from_request(BORN, &number.to_string());
    command.definition.payload = json.map(payload);
    let execution = Execution::create(&command, &crate::execution::tests::thing(), crate::Via::Direct, 60);
    (command, execution)
}

pub(super) fn deliver(route: &ShadowRoute, sent: &(Command, Execution)) -> ShadowUpdate {
    route.delivery(&sent.0, &sent.1, BORN).unwrap()
}

pub(super) fn withdraw(route: &ShadowRoute, sent: &(Command, Execution), shadow: &Shadow) -> Option<ShadowUpdate> {
    route.withdrawal(&sent.1.key, sent.0.definition.payload.as_ref(), Some(&shadow.document())).unwrap()
}

/// The shadow once the command has been withdrawn from it; a second withdrawal finds nothing more.
pub(super) fn withdrawn(route: &ShadowRoute, sent: &(Command, Execution), mut shadow: Shadow) -> Shadow {
    if let Some(update) = withdraw(route, sent, &shadow) {
        let version = route.needs_document().then(|| json!(shadow.version));
        assert_eq!(body(&update).get("version"), version.as_ref(), "of what was read");
        shadow.write(&update);
    }
    let again = withdraw(route, sent, &shadow);
    if route.needs_document() {
        assert_eq!(again, None, "{shadow:?}");
    }
    shadow
}

pub(super) fn holds(shadow: &Shadow, sent: &(Command, Execution)) -> bool {
    String::from_utf8(shadow.document()).unwrap().contains(sent.1.key.id.as_str())
}

/// The device reports all that it finds in its delta, as the devices of AWS's examples do.
pub(super) fn echo(shadow: &mut Shadow) {
    if let Some(delta) = shadow.delta() {
        shadow.update(&json!({"state": {"reported": delta}}));
    }
}
