//! Accepted executions are stored; at the end every execution has ended, and nothing is due.

use super::{History, Property, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.images_by_row();
    let mut found = Vec::new();
    for (thing, execution) in &history.accepted {
        if !rows.contains_key(&(thing.as_str(), execution.as_str())) {
            let entries = "the API accepted it, and the table has no row of it".to_owned();
            found.push(Violation::new(Property::AcceptedIsStored, thing, execution, entries));
        }
    }
    if !history.is_over {
        return found;
    }
    for ((thing, execution), images) in &rows {
        let Some(last) = images.last() else { continue };
        if !last.is_terminal() {
            let entries = format!("its last image is not terminal: {last}");
            found.push(Violation::new(Property::ExecutionEnds, thing, execution, entries));
        }
        if let Some(due_at) = last.text("due_at") {
            let entries = format!("it is still due at {due_at} s: {last}");
            found.push(Violation::new(Property::NothingStaysDue, thing, execution, entries));
        }
    }
    found
}
