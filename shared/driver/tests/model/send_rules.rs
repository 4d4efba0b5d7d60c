//! What must not be sent, and what a device must not start.

use domain::{Channel, Execution, ExecutionId, OnFailure, Reason, ShadowRoute, Status, Timestamp};

use super::{
    device::{State, contains_text},
    messages::ReportStatus,
    scenario::{CLOCK_TOLERANCE, MAX_HANDLER_SECONDS, Scenario, TICK, seconds},
    world::World,
};

pub const STARTED_TWICE: &str = "no attempt is executed twice";
pub const SENT_TWICE: &str = "no attempt is sent twice, unless the result of a sending is unknown";
pub const LATE: &str = "no execution starts after its ttl plus the clock tolerance";
pub const LANE: &str = "the executions of a lane run one after another, and none after a failure that stops the lane";
pub const LANE_SHADOW: &str = "nothing of a lane is sent before what has ended before it has left the shadow";
pub const UNUSED_CLAIM: &str = "a request is sent as soon as it is claimed, unless that took long";
pub const UNCLAIMED: &str = "a lane is settled by the function that has claimed it";
pub const FULL: &str = "a command that finds its lane full leaves nothing";
pub const DOUBTED: &str = "a creator that is done leaves no doubt of it";

/// The rule that the sending of an attempt breaks which was decided at `now`.
pub fn send_violation(world: &World, n: usize, attempt: u16, now: Timestamp) -> Option<&'static str> {
    let row = &world.row(n);
    if now >= row.start_by {
        return Some(LATE);
    }
    let sent = world.sent[n];
    if sent.may_arrive.is_some_and(|(on_its_way, until)| on_its_way == attempt && world.now < until) {
        return Some(SENT_TWICE);
    }
    // A sender that takes so long may have crashed.
    let is_over = sent.claimed_at.is_some_and(|claimed| world.now >= claimed + MAX_HANDLER_SECONDS);
    if sent.attempt >= attempt && !sent.maybe_delivered && !is_over {
        return Some(SENT_TWICE);
    }
    // An execution that was canceled while it was being sent has left its lane.
    if row.is_terminal() {
        return None;
    }
    let others = || world.rows.iter().enumerate().filter(|(m, _)| *m != n).filter_map(|(_, row)| row.as_ref());
    // Desired states do not wait for each other.
    let is_state = |row: &Execution| matches!(row.channel, Channel::Shadow(ShadowRoute::State(_)));
    let waits_for = |other: &Execution| !(is_state(row) && is_state(other));
    let in_progress = others().any(|other| !other.is_terminal() && other.sent_at.is_some() && waits_for(other));
    // The shadow holds one command.
    if row.channel == Channel::Shadow(ShadowRoute::Atlas) && in_progress {
        return Some(LANE);
    }
    let lane = row.lane.as_ref()?;
    let in_shadow = |id: &ExecutionId| contains_text(&world.shadow.state["desired"], id.as_str());
    let ended_in_lane = |other: &Execution| other.is_terminal() && other.in_lane && in_shadow(&other.key.id);
    if row.channel.shadow().is_some() && others().any(|other| ended_in_lane(other)) {
        return Some(LANE_SHADOW);
    }
    let failed = |other: &Execution| {
        let superseded = other.verdict.is_some_and(|verdict| verdict.reason == Reason::Superseded);
        other.is_terminal() && other.status != Status::Succeeded && !superseded
    };
    let stopped = lane.on_failure == OnFailure::Stop && sent.behind && others().any(|other| failed(other));
    (in_progress || stopped).then_some(LANE)
}

/// The rule that the device breaks if it starts this attempt now.
pub fn start_violation(scenario: &Scenario, world: &World, n: usize, attempt: u16) -> Option<&'static str> {
    let device = world.devices[n];
    let executed = matches!(device.state, State::Running(_) | State::Ended(ReportStatus::Succeeded));
    if executed || device.started & 1 << attempt != 0 {
        return Some(STARTED_TWICE);
    }
    is_late(scenario, world, n).then_some(LATE)
}

/// Whether it is too late to start an execution.
pub fn is_late(scenario: &Scenario, world: &World, n: usize) -> bool {
    let created = seconds(world.row(n).created_at);
    // A device that knows no deadlines depends on the clean-up of the shadow. That comes a tick later for each
    // reconciler that crashes, and later by as long as the handler that wrote the request was slow.
    let slow = if world.sent[n].slow { MAX_HANDLER_SECONDS } else { 0 };
    let slack = CLOCK_TOLERANCE + slow + i64::from(world.crashes) * TICK;
    world.now >= created + i64::from(scenario.setting.commands[n].definition.deadlines.ttl_seconds()) + slack
}
