//! What must have been done once an operator has been told that an execution is canceled.

use domain::{CancelNotice, Reason};

use super::world::World;

pub const NOT_NOTIFIED: &str = "a device that may have a request is notified before its cancel is confirmed";

/// The rule that the handler of a cancel breaks which is done.
pub fn violation(world: &World, n: usize) -> Option<&'static str> {
    let row = world.rows[n].as_ref()?;
    let by_operator = row.verdict.is_some_and(|verdict| verdict.reason == Reason::CanceledByOperator);
    let needs_notice = by_operator && row.outcome.is_none() && CancelNotice::of(row).is_some();
    (needs_notice && !world.sent[n].notified).then_some(NOT_NOTIFIED)
}
