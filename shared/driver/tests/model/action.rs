//! Everything that can happen next.

use domain::{Channel, Delivery, Effect};

use super::{
    call::Call,
    desired_states::ReportedState,
    device::State,
    event::Kind,
    messages::{ReportMessage, ReportStatus, ToDevice, WakeMessage, echoes},
    scenario::{STEP, Scenario, TICK, at},
    world::World,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    AdvanceClock,
    /// The next call of a handler is made.
    Call(usize, How),
    /// A handler crashes before its next call.
    Crash(usize),
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
    /// Another application, or a device that mirrors everything, changes a shadow.
    Echo(usize),
    /// AWS applies a write whose caller has given up.
    LateWrite,
    /// The caller creates a command, repeats its request, or cancels it.
    Create(usize),
    Repeat(usize),
    Cancel(usize),
    /// A wake that withdraws its request early arrives.
    Withdraw(usize),
    /// The device comes online; and the event of that arrives.
    Connect,
    OnlineEventArrives(i64),
    /// A wake arrives; where the flag is set, its duplicate stays on its way.
    WakeArrives(WakeMessage, bool),
}

/// How a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Answered,
    /// It takes effect, but its answer is lost, and the SDK repeats it.
    SecondTry,
    /// The service refuses it.
    Refused,
    /// It stays without an answer.
    Unanswered {
        applied: bool,
    },
    /// It stays without an answer, and takes effect later.
    Late,
    /// A direct message is not acknowledged, since its connection is broken.
    Unacknowledged {
        delivered: bool,
    },
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
        let too_long = world.handlers.iter().any(|handler| {
            // A call is answered within a step of the clock.
            let handled = handler.started + self.handler_seconds;
            let answered = if self.elapses { handler.asked + 2 * STEP } else { handled };
            handled.min(answered) <= world.now + STEP
        });
        let found = (0..world.rows.len()).all(|n| !is_due(world, n) || world.reconciled[n] > 0);
        let late = world.late_write.as_ref().is_none_or(|late| world.now + STEP < late.until);
        world.now < self.end && !too_long && found && late
    }

    fn handler_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (slot, handler) in world.handlers.iter().enumerate() {
            actions.push(Action::Call(slot, How::Answered));
            if world.faults > 0 {
                actions.push(Action::Crash(slot));
                let failures = self.failures(handler.node.asks(), &handler.node.event.kind);
                actions.extend(failures.into_iter().map(|how| Action::Call(slot, how)));
            }
        }
    }

    /// How this call of a handler of such an event may fail.
    fn failures(&self, call: &Call, event: &Kind) -> Vec<How> {
        let mut failures = Vec::new();
        let is_claim = matches!(call.effect(), Some(Effect::Claimed(_)));
        if call.is_repeated() && (self.calls_fail || (self.sending_fails && is_claim)) {
            failures.push(How::SecondTry);
        }
        let may_fail = self.calls_fail || (self.sending_fails && self.is_sending(call));
        if may_fail || (self.reconciler_fails && matches!(event, Kind::Due(_))) {
            failures.push(How::Refused);
        }
        if may_fail {
            failures.extend([true, false].map(|applied| How::Unanswered { applied }));
        }
        if self.writes_are_late && matches!(call, Call::UpdateShadow(_)) && self.is_sending(call) {
            failures.push(How::Late);
        }
        if self.acknowledgements_lost && matches!(call, Call::SendDirect(_)) {
            failures.extend([true, false].map(|delivered| How::Unacknowledged { delivered }));
        }
        failures
    }

    fn message_actions(&self, world: &World, actions: &mut Vec<Action>) {
        let duplicates = if world.faults > 0 && !self.no_duplicates { &[false, true][..] } else { &[false][..] };
        for message in distinct(&world.reports) {
            actions.extend(duplicates.iter().map(|keep| Action::ReportArrives(*message, *keep)));
        }
        for state in distinct(&world.reported_states) {
            actions.extend(duplicates.iter().map(|keep| Action::ReportedStateArrives(state.clone(), *keep)));
        }
        for wake in distinct(&world.wakes).filter(|wake| wake.at <= world.now) {
            actions.extend(duplicates.iter().map(|keep| Action::WakeArrives(*wake, *keep)));
        }
        for message in distinct(&world.to_device) {
            actions.extend(duplicates.iter().map(|keep| Action::MessageArrives(*message, *keep)));
        }
    }

    fn device_actions(&self, world: &World, actions: &mut Vec<Action>) {
        let comes_back = self.acknowledgements_lost || self.is_on(0, Delivery::Topic);
        let may_connect = world.online_since.is_none() || comes_back;
        if may_connect && world.connects > 0 && world.now >= self.connects_from {
            actions.push(Action::Connect);
        }
        if (0..world.rows.len()).any(|n| self.is_state(n)) {
            actions.extend(world.delta().into_iter().map(|(name, _)| Action::TakeOn(name)));
        }
        for (n, device) in world.devices.iter().enumerate() {
            if world.shadow.version > 0 && world.request_in_shadow(n).is_some() {
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
            let messages = [
                message(1, ReportStatus::Succeeded),
                message(2, ReportStatus::Failed),
                message(2, ReportStatus::InProgress(1)),
            ];
            actions.extend(messages.map(Action::UnfoundedReport));
        }
        if world.late_write.is_some() {
            actions.push(Action::LateWrite);
        }
        if world.faults > 0 && world.shadow.version > 0 && !self.no_foreign_writes {
            actions.push(Action::ForeignWrite);
        }
    }

    /// What callers, reconcilers and connects do to each row.
    fn row_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for n in 0..world.rows.len() {
            let Some(row) = &world.rows[n] else {
                let before = n.checked_sub(1).is_none_or(|before| world.rows[before].is_some());
                let alone = !self.creates_alone || world.handlers.is_empty();
                if before && alone && world.now <= self.creates_until && world.commands[n].is_none() {
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
            if world.withdrawals > 0 && row.shadow_cleanup_pending && row.due_at.is_some() {
                actions.push(Action::Withdraw(n));
            }
            if world.repeats > 0 && !row.is_terminal() {
                actions.push(Action::Repeat(n));
            }
        }
        if world.echoes > 0 && world.stored(0).is_some() {
            let channel = Channel::of(&self.setting.commands[0], None);
            actions.extend((0..echoes(&channel, &self.key(0).id).len()).map(Action::Echo));
        }
        actions.extend(distinct(&world.online_events).map(|at| Action::OnlineEventArrives(*at)));
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
