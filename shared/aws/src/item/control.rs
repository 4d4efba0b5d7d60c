//! The control state of a command and its audit trail, in its META item. A command that was never changed has none of
//! these attributes.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Actor, AuditEntry, Control, ControlState, Reason};

use super::attributes::{Item, Reader, Unreadable, millis, needed, number, text};

pub(crate) fn control_attributes(control: &Control) -> Vec<(&'static str, AttributeValue)> {
    if *control == Control::default() {
        return Vec::new();
    }
    let mut attributes =
        vec![("control", text(control.state.as_str())), ("control_generation", number(control.generation))];
    if let ControlState::Canceled { force, reason } = control.state {
        attributes.push(("control_force", AttributeValue::Bool(force)));
        attributes.push(("control_reason", text(reason.as_str())));
    }
    attributes.extend(control.at.map(|at| ("control_at", millis(at))));
    attributes.extend(control.by.as_ref().map(|by| ("control_by", text(by.as_str()))));
    attributes.extend(control.why.as_ref().map(|why| ("control_why", text(why))));
    attributes
}

pub(super) fn control_from_item(item: &Item) -> Result<Control, Unreadable> {
    let read = Reader(item);
    let Some(word) = read.text("control")? else { return Ok(Control::default()) };
    let state = match word {
        "RUNNING" => ControlState::Running,
        "PAUSED" => ControlState::Paused,
        "CANCELED" => ControlState::Canceled {
            force: matches!(item.get("control_force"), Some(AttributeValue::Bool(true))),
            reason: read.parsed("control_reason", Reason::parse)?,
        },
        _ => return Err(Unreadable::new("control")),
    };
    Ok(Control {
        state,
        generation: needed("control_generation", read.number("control_generation")?)?,
        at: read.millis("control_at")?,
        by: read.text("control_by")?.map(Actor::caller),
        why: read.text("control_why")?.map(str::to_owned),
    })
}

/// The audit trail, in the attribute `audit`: a list, to which each change appends.
pub(super) fn audit_from_item(item: &Item) -> Result<Vec<AuditEntry>, Unreadable> {
    let Some(list) = item.get("audit") else { return Ok(Vec::new()) };
    let unreadable = || Unreadable::new("audit");
    let entry = |value: &AttributeValue| value.as_s().ok().and_then(|text| AuditEntry::from_stored(text));
    let entries = list.as_l().map_err(|_| unreadable())?;
    entries.iter().map(|value| entry(value).ok_or_else(unreadable)).collect()
}
