//! Everything that can happen next.

use domain::{Channel, ShadowRoute};

use super::{
    call::{Call, SendResult},
    desired_states::ReportedState,
    device::State,
    messages::{ReportMessage, ReportStatus, ToDevice},
    scenario::{MAX_HANDLER_SECONDS, STEP, Scenario, TICK, at},
    world::World,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    AdvanceClock,
    /// A handler makes its next call; a sending has this result.
    Call(usize, SendResult),
    /// A handler crashes before its next call.
    Crash(usize),
    /// The work of a reconciler fails.
    FailReconciler(usize),
    /// A reconciler finds a due row.
    Reconcile(usize),
    /// A message arrives; where the flag is set, its duplicate stays on its way.
    ReportArrives(ReportMessage, bool),
    MessageArrives(ToDevice, bool),
    ReportedStateArrives(ReportedState, bool),
    /// The device reads its shadow, takes on a desired attribute, sends a heartbeat, ends an execution, or reboots.
    ReadShadow(usize),
    TakeOn(String),
    SendHeartbeat(usize),
    End(usize, ReportStatus),
    Reboot,
    /// The device sends a report without a request.
    UnfoundedReport(ReportMessage),
    /// Another writer changes the shadow.
    ForeignWrite,
    /// The caller creates a command, repeats its request, or cancels it.
    Create(usize),
    Repeat(usize),
    Cancel(usize),
    /// The device comes online.
    Connect(usize),
}

impl Scenario {
    pub fn possible_actions(&self, world: &World, actions: &mut Vec<Action>) {
        if self.may_advance_clock(world) {
            actions.push(Action::AdvanceClock);
        }
        self.handler_actions(world, actions);
        if !world.has_room(self) {
            // Every other action is possible after one of these too.
            return;
        }
        self.message_actions(world, actions);
        self.device_actions(world, actions);
        self.row_actions(world, actions);
    }

    /// Whether no handler would live too long, and every due row is found by a reconciler.
    fn may_advance_clock(&self, world: &World) -> bool {
        let too_long = world.handlers.iter().any(|handler| handler.since + MAX_HANDLER_SECONDS <= world.now + STEP);
        let found = (0..world.rows.len()).all(|n| !is_due(world, n) || world.reconciled[n] > 0);
        world.now < self.end && !too_long && found
    }

    fn handler_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (slot, handler) in world.handlers.iter().enumerate() {
            actions.push(Action::Call(slot, SendResult::Accepted));
            if self.offline && handler.call == Call::Send && handler.row.channel.shadow().is_none() {
                actions.push(Action::Call(slot, SendResult::NotConnected));
            }
            if world.faults == 0 {
                continue;
            }
            actions.push(Action::Crash(slot));
            if handler.is_reconciler && self.reconciler_fails {
                actions.push(Action::FailReconciler(slot));
            }
            if handler.call == Call::Claim && self.sending_fails {
                actions.push(Action::Call(slot, SendResult::Unknown { sent: true }));
            }
            if handler.call == Call::Send && self.sending_fails {
                actions.extend([true, false].map(|sent| Action::Call(slot, SendResult::Unknown { sent })));
                actions.push(Action::Call(slot, SendResult::Refused));
            }
        }
    }

    fn message_actions(&self, world: &World, actions: &mut Vec<Action>) {
        let duplicates = if world.faults > 0 && !self.no_duplicates { &[false, true][..] } else { &[false][..] };
        for message in distinct(&world.reports) {
            actions.extend(duplicates.iter().map(|keep| Action::ReportArrives(*message, *keep)));
        }
        for state in distinct(&world.reported_states) {
            actions.extend(duplicates.iter().map(|keep| Action::ReportedStateArrives(state.clone(), *keep)));
        }
        for message in distinct(&world.to_device) {
            actions.extend(duplicates.iter().map(|keep| Action::MessageArrives(*message, *keep)));
        }
    }

    fn device_actions(&self, world: &World, actions: &mut Vec<Action>) {
        if matches!(self.channel, Channel::Shadow(ShadowRoute::State(_))) {
            actions.extend(world.delta().into_iter().map(|(name, _)| Action::TakeOn(name)));
        }
        for (n, device) in world.devices.iter().enumerate() {
            if world.shadow.version > 0 && world.request_in_shadow(self, n).is_some() {
                actions.push(Action::ReadShadow(n));
            }
            if let State::Running(seq) = device.state {
                actions.push(Action::End(n, ReportStatus::Succeeded));
                if self.fails {
                    actions.push(Action::End(n, ReportStatus::Failed));
                }
                if seq < self.heartbeats {
                    actions.push(Action::SendHeartbeat(n));
                }
            }
        }
        if self.reboots && world.faults > 0 && world.devices.iter().any(|device| device.started > 0) {
            actions.push(Action::Reboot);
        }
        if self.unfounded_reports && world.faults > 0 {
            let message = |attempt, status| ReportMessage { n: 0, attempt, status, arrived_at: None };
            let messages = [message(1, ReportStatus::Succeeded), message(2, ReportStatus::Failed)];
            actions.extend(messages.map(Action::UnfoundedReport));
        }
        if world.faults > 0 && world.shadow.version > 0 {
            actions.push(Action::ForeignWrite);
        }
    }

    /// What callers, reconcilers and connects do to each row.
    fn row_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for n in 0..world.rows.len() {
            let Some(row) = &world.rows[n] else {
                let before = n.checked_sub(1).is_none_or(|before| world.rows[before].is_some());
                if before && world.now == 0 {
                    actions.push(Action::Create(n));
                }
                continue;
            };
            if is_due(world, n) && world.reconciled[n] < self.reconcilers {
                actions.push(Action::Reconcile(n));
            }
            if world.cancels > 0 && !row.is_terminal() {
                actions.push(Action::Cancel(n));
            }
            if world.connects > 0 && row.should_send_on_connect(at(world.now)) {
                actions.push(Action::Connect(n));
            }
            if world.repeats > 0 && world.now > 0 && row.should_send(at(world.now)) {
                actions.push(Action::Repeat(n));
            }
        }
    }
}

/// The different messages of a sorted list.
fn distinct<T: PartialEq>(messages: &[T]) -> impl Iterator<Item = &T> {
    let is_first = |i: usize| i == 0 || messages[i - 1] != messages[i];
    messages.iter().enumerate().filter(move |(i, _)| is_first(*i)).map(|(_, message)| message)
}

/// Whether a reconciler that runs now finds the row.
fn is_due(world: &World, n: usize) -> bool {
    let due = world.rows[n].as_ref().and_then(|row| row.due_at);
    world.now % TICK == 0 && due.is_some_and(|due| due <= at(world.now).as_seconds())
}
