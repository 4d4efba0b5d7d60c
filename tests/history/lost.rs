//! Nothing that was accepted is lost: it is stored, it ends, and nothing stays due.

use super::{History, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.by_row();
    let mut found = Vec::new();
    for (thing, execution) in &history.accepted {
        if !rows.contains_key(&(thing.as_str(), execution.as_str())) {
            found.push(Violation::of("lost", format!("{thing}/{execution} was accepted, and is not stored")));
        }
    }
    if !history.is_over {
        return found;
    }
    for last in rows.values().filter_map(|images| images.last()) {
        if !last.is_terminal() {
            found.push(Violation::of("lost", format!("it never ended: {}", last.show())));
        }
        if let Some(due) = last.text("due_at") {
            found.push(Violation::of("due", format!("it is still due (at {due}): {}", last.show())));
        }
    }
    found
}
