//! The effect of each action on the world.

use std::sync::Arc;

use domain::{Effect, Status};

use super::{
    action::{Action, How},
    call::{Answer, Call},
    cancel_rules,
    event::{Event, Kind},
    messages::ReportMessage,
    node::{Next, Node},
    replay::Luck,
    report_rules,
    scenario::{STEP, Scenario, at},
    send_rules,
    world::{Handler, World, nonce_of},
};

impl Scenario {
    /// Applies an action; none if it changes nothing.
    pub fn apply_action(&self, world: &mut World, action: Action) -> Option<()> {
        let now = world.now;
        match action {
            Action::AdvanceClock => {
                world.now += STEP;
                world.reconciled.fill(0);
            }
            Action::Call(slot, how) => {
                world.faults -= u8::from(how != How::Answered);
                let Handler { started, node, .. } = world.handlers.remove(slot);
                let node = self.answer(world, &node, started, how);
                self.go_on(world, node, started);
            }
            Action::Crash(slot) => {
                let Handler { node, .. } = world.handlers.remove(slot);
                world.faults -= 1;
                self.fail(world, &node);
            }
            Action::ReportedStateArrives(state, keep) => {
                take(&mut world.reported_states, &state, keep, &mut world.faults);
                self.start(world, Event { at: state.at, kind: Kind::Reported(state) });
            }
            Action::TakeOn(name) => world.take_on(self, &name),
            Action::Connect => {
                (world.connects, world.online_since) = (world.connects - 1, Some(now));
                world.online_events.push(now);
            }
            Action::OnlineEventArrives(connected_at) => {
                take(&mut world.online_events, &connected_at, false, &mut world.faults);
                self.start(world, Event { at: connected_at, kind: Kind::Online { subscribed: true } });
            }
            Action::WakeArrives(wake, keep) => {
                take(&mut world.wakes, &wake, keep, &mut world.faults);
                self.start(world, Event { at: now, kind: Kind::Wake { n: wake.n, due: wake.due } });
            }
            Action::Reconcile(n) => {
                world.reconciled[n] += 1;
                self.start(world, Event { at: now, kind: Kind::Due(n) });
            }
            Action::ReportArrives(message, keep) => {
                take(&mut world.reports, &message, keep, &mut world.faults);
                let arrived_at = message.arrived_at.unwrap_or(now);
                let message = ReportMessage { arrived_at: Some(arrived_at), ..message };
                self.start(world, Event { at: arrived_at, kind: Kind::Report(message) });
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
                world.shadow.write_foreign(self.route(0));
            }
            Action::LateWrite => world.apply_late_write(),
            Action::Echo(number) => {
                world.echoes -= 1;
                self.start(world, Event { at: now, kind: Kind::Echo(number) });
            }
            Action::Create(n) => self.start(world, Event { at: now, kind: Kind::Create { n, request: 0 } }),
            Action::Repeat(n) => {
                let request = world.repeats;
                world.repeats -= 1;
                self.start(world, Event { at: now, kind: Kind::Create { n, request } });
            }
            Action::Withdraw(n) => {
                let due = world.row(n).due_at?;
                world.withdrawals -= 1;
                self.start(world, Event { at: now, kind: Kind::Early { n, due } });
            }
            Action::Cancel(n) => {
                world.cancels -= 1;
                let force = self.force && world.row(n).status == Status::InProgress;
                self.start(world, Event { at: now, kind: Kind::Cancel { n, force } });
            }
        }
        Some(())
    }

    /// Starts the handler of an event.
    pub fn start(&self, world: &mut World, event: Event) {
        let (started, luck) = (world.now, self.luck(world, &event, world.now));
        let mut node = self.tree.root(&self.setting, &event, luck);
        // A handler begins when its first call is answered: before, its event waits.
        if let Next::Asks(call) = &node.next
            && (call.is_read_of_table() || matches!(call, Call::PutCommand(_)))
        {
            node = self.answer(world, &node, started, How::Answered);
        }
        self.go_on(world, node, started);
    }

    /// Answers the next call of a handler.
    fn answer(&self, world: &mut World, node: &Arc<Node>, started: i64, how: How) -> Arc<Node> {
        let answer = world.make_call(self, node, how);
        self.tree.child(&self.setting, node, &answer, self.luck(world, &node.event, started))
    }

    /// Leaves a handler to its next call, or ends it.
    fn go_on(&self, world: &mut World, mut node: Arc<Node>, started: i64) {
        loop {
            match &node.next {
                Next::Asks(call) if self.is_answered_at_once(call) => {
                    node = self.answer(world, &node, started, How::Answered);
                }
                Next::Asks(_) => {
                    self.note_claim(world, &node);
                    let asked = if self.elapses { world.now } else { started };
                    return world.handlers.push(Handler { started, asked, node });
                }
                Next::Ends(Ok(())) => {
                    self.note_claim(world, &node);
                    return ended(self, world, &node);
                }
                Next::Ends(Err(_)) => return self.fail(world, &node),
            }
        }
    }

    /// Whether nothing that happens before this call can change its answer: only where a lane is full a command is
    /// deleted, and where there is one handler at a time, no other one writes the tables. A wake has no answer. With a
    /// clock that goes on, the answer may come later than the call.
    fn is_answered_at_once(&self, call: &Call) -> bool {
        let is_kept = self.lane_length >= self.setting.commands.len();
        let unchanging =
            (is_kept && matches!(call, Call::ReadCommand(_))) || (self.max_handlers == 1 && call.is_read_of_table());
        matches!(call, Call::SendWake(_)) || (unchanging && !self.elapses)
    }

    /// A handler crashes, or fails. The message of its event is delivered again.
    fn fail(&self, world: &mut World, node: &Node) {
        world.crashes += 1;
        self.note_unrecorded(world, node);
        match &node.event.kind {
            Kind::Report(message) => world.reports.push(*message),
            Kind::Reported(state) => world.reported_states.push(state.clone()),
            Kind::Online { .. } => world.online_events.push(node.event.at),
            // The caller gets an error, and asks again.
            Kind::Cancel { .. } => world.cancels += 1,
            Kind::Create { .. } | Kind::Due(_) | Kind::Wake { .. } | Kind::Early { .. } | Kind::Echo(_) => {}
        }
    }

    /// A claim that was written at once is used: otherwise its request would wait until the claim is over.
    fn note_claim(&self, world: &mut World, node: &Node) {
        let mut answers = node.answers().filter(|(call, _)| !matches!(call, Call::SendWake(_)));
        let Some((Call::WriteExecution(change), Answer::Applied(_))) = answers.next() else { return };
        let (Effect::Claimed(claim), Some(n)) = (&change.effect, self.index_of(change.key.id.as_str())) else { return };
        if matches!(&node.next, Next::Asks(next) if self.is_sending(next)) {
            return;
        }
        world.sent[n].unused_claim = self.elapses && claim.at < at(world.now);
        let unused = !world.sent[n].unused_claim;
        world.report_violation(unused.then_some(send_rules::UNUSED_CLAIM));
    }

    fn note_unrecorded(&self, world: &mut World, node: &Node) {
        if let Some(n) = self.unrecorded_sending(node) {
            world.sent[n].maybe_delivered = true;
        }
    }

    /// What clock and generator say to a handler: a nonce that no other handler and no row has.
    fn luck(&self, world: &World, event: &Event, started: i64) -> Luck {
        let in_flight = world.handlers.iter().fold(0, |all, handler| all | handler.node.nonces);
        let settler = world.queue.settler.as_ref().and_then(|claim| nonce_of(&claim.token)).unwrap_or(0);
        let taken = world.rows.iter().flatten().fold(in_flight | settler, |all, row| all | row.nonces());
        // An event may be handled late.
        let until = if self.elapses { world.now } else { started };
        let seconds_since_event = (self.elapses || until > event.at).then(|| u32::try_from(until - event.at).unwrap());
        Luck { seconds_since_event, nonce: taken.trailing_ones() }
    }
}

fn ended(scenario: &Scenario, world: &mut World, node: &Node) {
    if let Some(n) = scenario.created_by(node).filter(|_| scenario.unrecorded_sending(node).is_some()) {
        let doubted = world.rows[n].as_ref().is_some_and(|row| row.is_doubted());
        world.report_violation(doubted.then_some(send_rules::DOUBTED));
    }
    if let Some(n) = scenario.created_by(node)
        && node.answers().any(|(_, answer)| *answer == Answer::LaneFull)
    {
        // A row that another function has changed stays.
        let row_stays = world.rows[n].as_ref().is_some_and(|row| row.claim.is_none() && row.progress.seq() == 0);
        let stays = row_stays || world.commands[n].is_some() || world.queue.ids.contains(&scenario.key(n).id);
        world.report_violation(stays.then_some(send_rules::FULL));
    }
    if let Kind::Report(message) = node.event.kind {
        world.report_violation(report_rules::violation(scenario, world, node, message));
    }
    if let Kind::Cancel { n, .. } = node.event.kind {
        world.report_violation(cancel_rules::violation(world, n));
    }
    let lost = || node.answers().any(|(_, answer)| matches!(answer, Answer::Conflict(_)));
    let slow = scenario.elapses && world.now > node.event.at;
    if let Kind::Due(n) = node.event.kind
        && (slow || lost())
    {
        world.note_reconciled(n, node.event.at);
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
