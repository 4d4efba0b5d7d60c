//! Tests of explanations, word for word.

use super::*;

use crate::execution::fixtures::CREATED_AT;
use crate::execution::transition::table::states;

mod events;
mod states;

fn text(row: &Execution, seconds: u32) -> String {
    let show = |at: Timestamp| format!("+{}s", (at.as_millis() - CREATED_AT.as_millis() + 999) / 1000);
    row.explain(CREATED_AT.plus_seconds(seconds)).text(show)
}

fn state(name: &str) -> Execution {
    states().into_iter().find_map(|(found, row)| (found == name).then_some(row)).unwrap_or_else(|| panic!("no {name}"))
}
