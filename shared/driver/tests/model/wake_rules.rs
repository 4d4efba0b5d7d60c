//! What holds for wakes: each due entry has one, and none does more than its time asks for.

use domain::{Change, Effect, Execution, LaneClaim};

use super::{
    call::Answer,
    event::Kind,
    node::Node,
    scenario::{CREATED_AT, Scenario, at},
    world::World,
};

pub const EARLY: &str = "no wake comes before its entry is due";
pub const IDLE_WRITE: &str = "a wake that finds nothing to do writes nothing";

/// The rule that a wake breaks with a change of this row.
pub fn violation(node: &Node, before: &Execution, change: &Change) -> Option<&'static str> {
    let moves_only_the_entry = !before.is_terminal() && change.effect == Effect::Nothing;
    // It found something to do, and another function was faster.
    let lost = || node.answers().any(|(_, answer)| matches!(answer, Answer::Conflict(_)));
    let is_wake = matches!(node.event.kind, Kind::Wake { .. });
    (is_wake && moves_only_the_entry && !lost()).then_some(IDLE_WRITE)
}

/// Whether every entry has a wake under way, once all functions are done and none has crashed. One that is due already
/// has a wake for the time at which its row needs something.
pub fn every_entry_has_a_wake(scenario: &Scenario, world: &World) -> bool {
    if !scenario.setting.wakes || !world.handlers.is_empty() || world.crashes > 0 {
        return true;
    }
    world.rows.iter().enumerate().all(|(n, row)| {
        let Some((row, due)) = row.as_ref().and_then(|row| Some((row, row.due_at?))) else { return true };
        let now = at(world.now);
        let needed_at = row.next_look_at(now).unwrap_or(now.as_seconds()).max(due) - CREATED_AT.as_seconds();
        // One that comes due while its lane is settled is looked at when the claim of the lane is over.
        let claimed = if row.in_lane { i64::from(LaneClaim::MAX_SECONDS) } else { 0 };
        world.wakes.iter().any(|wake| wake.n == n && wake.due == due && wake.at <= needed_at + claimed)
    })
}
