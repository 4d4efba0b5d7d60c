//! The effect of each action on the world.

use domain::Status;

use super::{
    action::Action,
    call::{Call, SendResult},
    handler::Handler,
    messages::ReportStatus,
    scenario::{STEP, Scenario},
    send_rules,
    world::World,
};

impl Scenario {
    /// Applies an action; none if it changes nothing.
    pub fn apply_action(&self, world: &mut World, action: Action) -> Option<()> {
        match action {
            Action::AdvanceClock => {
                world.now += STEP;
                world.reconciled.fill(0);
            }
            Action::Call(slot, result) => self.make_call(world, slot, result),
            Action::Crash(slot) => crash(world, slot),
            Action::FailReconciler(slot) => {
                let Handler { n, since, .. } = world.handlers.remove(slot);
                (world.faults, world.crashes) = (world.faults - 1, world.crashes + 1);
                self.start(world, Handler::new(n, world.row(n), since, Call::Postpone));
            }
            Action::ReportedStateArrives(state, keep) => {
                take(&mut world.reported_states, &state, keep, &mut world.faults);
                self.start(world, Handler::matching(state, world));
            }
            Action::TakeOn(name) => world.take_on(self, &name),
            Action::Connect(n) => {
                world.connects -= 1;
                self.start(world, Handler::new(n, world.row(n), world.now, Call::Claim));
            }
            Action::Reconcile(n) => {
                world.reconciled[n] += 1;
                if let Some(handler) = Handler::reconciling(n, world.row(n), world.now) {
                    self.start(world, handler);
                }
            }
            Action::ReportArrives(message, keep) => {
                take(&mut world.reports, &message, keep, &mut world.faults);
                let handler = Handler::tracking(message, world.row(message.n), world.now);
                self.start(world, handler);
            }
            Action::MessageArrives(message, keep) => {
                take(&mut world.to_device, &message, keep, &mut world.faults);
                world.receive(self, message);
            }
            Action::ReadShadow(n) => world.read_shadow(self, n),
            Action::SendHeartbeat(n) => world.send_heartbeat(self, n),
            Action::End(n, status) => world.end_at_device(self, n, status),
            Action::Reboot => {
                world.faults -= 1;
                world.reboot();
            }
            Action::UnfoundedReport(message) => {
                world.faults -= 1;
                world.reports.push(message);
            }
            Action::ForeignWrite => {
                world.faults -= 1;
                world.shadow.write_foreign(self.channel.shadow().or(self.fallback_shadow.as_ref()));
            }
            Action::Create(n) => {
                world.create(self, n);
                let handler = world.handlers.pop()?;
                self.start(world, handler);
            }
            Action::Repeat(n) => {
                world.repeats -= 1;
                let call = if world.row(n).waits_in_lane() { Call::ReadToJoin } else { Call::Claim };
                let handler = Handler::new(n, world.row(n), world.now, call);
                self.start(world, handler);
            }
            Action::Cancel(n) => {
                world.cancels -= 1;
                let row = world.row(n);
                let force = self.force && row.status == Status::InProgress;
                let handler = Handler::new(n, row, world.now, Call::Cancel { force });
                self.start(world, handler);
            }
        }
        Some(())
    }

    fn make_call(&self, world: &mut World, slot: usize, result: SendResult) {
        let handler = world.handlers.remove(slot);
        world.faults -= u8::from(!matches!(result, SendResult::Accepted | SendResult::NotConnected));
        let success = handler.report_message.filter(|message| message.status == ReportStatus::Succeeded);
        let next = handler.step(world, self, result);
        if next.is_none() {
            world.report_violation(success.and_then(|message| send_rules::report_violation(world, message)));
        }
        world.handlers.extend(next);
    }

    /// Starts a handler with a token that no other handler has.
    fn start(&self, world: &mut World, mut handler: Handler) {
        let taken = |token| world.handlers.iter().any(|other| other.token == token);
        handler.token = (0..).find(|token| !taken(*token)).unwrap_or_default();
        world.handlers.push(handler);
    }
}

/// A handler crashes. The message of its event is delivered again.
fn crash(world: &mut World, slot: usize) {
    let handler = world.handlers.remove(slot);
    world.faults -= 1;
    world.crashes += 1;
    world.sent[handler.n].maybe_delivered |= matches!(handler.call, Call::WriteResult(_));
    match handler.reported_state {
        Some(state) => world.reported_states.push(state),
        None => world.reports.extend(handler.report_message),
    }
}

/// Takes a message out of those on their way, or leaves its duplicate there.
fn take<T: PartialEq>(messages: &mut Vec<T>, message: &T, keep: bool, faults: &mut u8) {
    if keep {
        *faults -= 1;
    } else if let Some(at) = messages.iter().position(|other| other == message) {
        messages.remove(at);
    }
}
