//! Everything that can happen next.

use std::time::Instant;

use domain::{Execution, ShadowRoute, Status, Via};
use stateright::{Checker, HasDiscoveries, Model, Path, Property};

use super::{
    device::State,
    handler::{Call, Handler, How},
    rules,
    scenario::{BORN, LIFE, STEP, Scenario, TICK, at},
    wishes::Shown,
    world::{Down, Said, Word, World},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The clock goes on.
    Pass,
    /// A handler does its next call, or dies before it.
    Step(usize, How),
    Die(usize),
    /// What a reconciler does fails.
    Fail(usize),
    /// A reconciler finds a row that is due.
    Find(usize),
    /// A report arrives, or only one of two of it.
    Arrive(Said, bool),
    /// A message reaches the device, or only one of two of it.
    Reach(Down, bool),
    /// What the device shows in its shadow arrives, or only one of two of it.
    Show(Shown, bool),
    /// The device reads its shadow, beats, ends, and reboots.
    Read(usize),
    Become(String),
    Beat(usize),
    End(usize, Word),
    Reboot,
    /// The device says what it has no reason to say.
    Babble(Said),
    /// Someone else changes something in the shadow.
    Foreign,
    /// Someone asks for this command, again, and calls it off.
    Ask(usize),
    Repeat(usize),
    /// The device is back, and what waits for it is seen to.
    Return(usize),
    Cancel(usize),
}

impl Scenario {
    /// Whether the clock may go on: nobody lives for too long, and every tick finds what is due.
    fn may_pass(&self, world: &World) -> bool {
        let dies = world.handlers.iter().any(|handler| handler.since + LIFE <= world.now + STEP);
        let found = (0..world.rows.len()).all(|n| !is_due(world, n) || world.looked[n] > 0);
        world.now < self.horizon && !dies && found
    }

    fn of_handlers(&self, world: &World, actions: &mut Vec<Action>) {
        for (slot, handler) in world.handlers.iter().enumerate() {
            actions.push(Action::Step(slot, How::Taken));
            if self.offline && handler.call == Call::Send && handler.row.via.shadow().is_none() {
                actions.push(Action::Step(slot, How::Offline));
            }
            if world.mishaps == 0 {
                continue;
            }
            actions.push(Action::Die(slot));
            if handler.reconciles && self.fails_to_settle {
                actions.push(Action::Fail(slot));
            }
            if handler.call == Call::Claim && self.unsure {
                actions.push(Action::Step(slot, How::Unknown { out: true }));
            }
            if handler.call == Call::Send && self.unsure {
                actions.extend([true, false].map(|out| Action::Step(slot, How::Unknown { out })));
                actions.push(Action::Step(slot, How::Refused));
            }
        }
    }

    fn of_messages(&self, world: &World, actions: &mut Vec<Action>) {
        let copies = if world.mishaps > 0 && !self.dies_only { &[false, true][..] } else { &[false][..] };
        for (i, said) in world.up.iter().enumerate() {
            if world.up[..i].last() != Some(said) {
                actions.extend(copies.iter().map(|keep| Action::Arrive(*said, *keep)));
            }
        }
        for (i, shown) in world.shown.iter().enumerate() {
            if world.shown[..i].last() != Some(shown) {
                actions.extend(copies.iter().map(|keep| Action::Show(shown.clone(), *keep)));
            }
        }
        for (i, down) in world.down.iter().enumerate() {
            if world.down[..i].last() != Some(down) {
                actions.extend(copies.iter().map(|keep| Action::Reach(*down, *keep)));
            }
        }
    }

    fn of_device(&self, world: &World, actions: &mut Vec<Action>) {
        if matches!(self.via, Via::Shadow(ShadowRoute::State(_))) {
            actions.extend(world.wished().into_iter().map(|(name, _)| Action::Become(name)));
        }
        for (n, device) in world.devices.iter().enumerate() {
            if world.shadow.version > 0 && world.in_shadow(self, n).is_some() {
                actions.push(Action::Read(n));
            }
            if let State::Running(seq) = device.state {
                actions.push(Action::End(n, Word::Succeeded));
                if self.fails {
                    actions.push(Action::End(n, Word::Failed));
                }
                if seq < self.beats {
                    actions.push(Action::Beat(n));
                }
            }
        }
        if self.reboots && world.mishaps > 0 && world.devices.iter().any(|device| device.begun > 0) {
            actions.push(Action::Reboot);
        }
        if self.babbles && world.mishaps > 0 {
            let said = |attempt, word| Action::Babble(Said { n: 0, attempt, word, at: None });
            actions.extend([said(1, Word::Succeeded), said(2, Word::Failed)]);
        }
        if world.mishaps > 0 && world.shadow.version > 0 {
            actions.push(Action::Foreign);
        }
    }

    fn of_people(&self, world: &World, actions: &mut Vec<Action>) {
        for n in 0..world.rows.len() {
            let Some(row) = &world.rows[n] else {
                let before = n.checked_sub(1).is_none_or(|before| world.rows[before].is_some());
                if before && world.now == 0 {
                    actions.push(Action::Ask(n));
                }
                continue;
            };
            if world.now % TICK == 0 && is_due(world, n) && world.looked[n] < self.reconcilers {
                actions.push(Action::Find(n));
            }
            if world.cancels > 0 && !row.is_terminal() {
                actions.push(Action::Cancel(n));
            }
            if world.returns > 0 && row.is_to_be_replayed(at(world.now)) {
                actions.push(Action::Return(n));
            }
            if world.repeats > 0 && world.now > 0 && row.is_to_be_sent(at(world.now)) {
                actions.push(Action::Repeat(n));
            }
        }
    }

    fn start(&self, world: &mut World, mut handler: Handler) {
        let taken = |token| world.handlers.iter().any(|other| other.token == token);
        handler.token = (0..).find(|token| !taken(*token)).unwrap_or_default();
        world.handlers.push(handler);
    }

    fn happen(&self, world: &mut World, action: Action) -> Option<()> {
        match action {
            Action::Pass => {
                world.now += STEP;
                world.looked.fill(0);
            }
            Action::Step(slot, how) => {
                let handler = world.handlers.remove(slot);
                world.mishaps -= u8::from(!matches!(how, How::Taken | How::Offline));
                let said = handler.said.filter(|said| said.word == Word::Succeeded);
                let next = handler.step(world, self, how);
                if next.is_none() {
                    world.break_rule(said.and_then(|said| rules::of_hearing(world, said)));
                }
                world.handlers.extend(next);
            }
            Action::Die(slot) => {
                let handler = world.handlers.remove(slot);
                world.mishaps -= 1;
                world.crashes += 1;
                world.sent[handler.n].unsure |= matches!(handler.call, Call::Sent(_));
                // Whoever brought the report brings it again.
                match handler.shown {
                    Some(shown) => world.shown.push(shown),
                    None => world.up.extend(handler.said),
                }
            }
            Action::Fail(slot) => {
                let Handler { n, since, .. } = world.handlers.remove(slot);
                (world.mishaps, world.crashes) = (world.mishaps - 1, world.crashes + 1);
                self.start(world, Handler::new(n, world.row(n), since, Call::Postpone));
            }
            Action::Show(shown, keep) => {
                take(&mut world.shown, &shown, keep, &mut world.mishaps);
                self.start(world, Handler::seeing(shown, world));
            }
            Action::Become(name) => world.become_wished(self, &name),
            Action::Return(n) => {
                world.returns -= 1;
                self.start(world, Handler::new(n, world.row(n), world.now, Call::Claim));
            }
            Action::Find(n) => {
                world.looked[n] += 1;
                if let Some(handler) = Handler::driving(n, world.row(n), world.now) {
                    self.start(world, handler);
                }
            }
            Action::Arrive(said, keep) => {
                take(&mut world.up, &said, keep, &mut world.mishaps);
                let handler = Handler::tracking(said, world.row(said.n), world.now);
                self.start(world, handler);
            }
            Action::Reach(down, keep) => {
                take(&mut world.down, &down, keep, &mut world.mishaps);
                world.reach(self, down);
            }
            Action::Read(n) => world.read_shadow(self, n),
            Action::Beat(n) => world.beat(self, n),
            Action::End(n, word) => world.end(self, n, word),
            Action::Reboot => {
                world.mishaps -= 1;
                world.reboot();
            }
            Action::Babble(said) => {
                world.mishaps -= 1;
                world.up.push(said);
            }
            Action::Foreign => {
                world.mishaps -= 1;
                world.shadow.want_foreign(self.via.shadow().or(self.other.as_ref()));
            }
            Action::Ask(n) => {
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
}

fn is_due(world: &World, n: usize) -> bool {
    let due = world.rows[n].as_ref().and_then(|row| row.due_at);
    world.now % TICK == 0 && due.is_some_and(|due| due <= at(world.now).as_seconds())
}

/// Takes a message out of those on their way, unless it comes again.
fn take<T: PartialEq>(messages: &mut Vec<T>, message: &T, keep: bool, mishaps: &mut u8) {
    if keep {
        *mishaps -= 1;
    } else if let Some(at) = messages.iter().position(|other| other == message) {
        messages.remove(at);
    }
}

impl Model for Scenario {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if self.may_pass(world) {
            actions.push(Action::Pass);
        }
        self.of_handlers(world, actions);
        if !world.has_room(self) {
            // Whatever else happens now might as well happen then.
            return;
        }
        self.of_messages(world, actions);
        self.of_device(world, actions);
        self.of_people(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.happen(&mut next, action)?;
        next.sort();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let broken: [fn(&Self, &World) -> bool; 9] = [
            |_, world| world.broken != Some(rules::BROKEN[0]),
            |_, world| world.broken != Some(rules::BROKEN[1]),
            |_, world| world.broken != Some(rules::BROKEN[2]),
            |_, world| world.broken != Some(rules::BROKEN[3]),
            |_, world| world.broken != Some(rules::BROKEN[4]),
            |_, world| world.broken != Some(rules::BROKEN[5]),
            |_, world| world.broken != Some(rules::BROKEN[6]),
            |_, world| world.broken != Some(rules::BROKEN[7]),
            |_, world| world.broken != Some(rules::BROKEN[8]),
        ];
        let broken = rules::BROKEN.into_iter().zip(broken).map(|(name, holds)| Property::always(name, holds));
        let always = rules::ALWAYS.into_iter().map(|(name, holds)| Property::always(name, holds));
        let reached = self.reached.iter().map(|(name, holds)| Property::sometimes(name, *holds));
        broken.chain(always).chain(reached).collect()
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.now <= self.horizon
    }
}

impl Scenario {
    /// Goes through everything that can happen; says how it came to what must not, and what was never reached.
    pub fn check(self, name: &str) {
        let begun = Instant::now();
        let checker = self.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).target_state_count(MOST);
        let checker = checker.spawn_bfs().join();
        let found = checker.discoveries();
        let whole = checker.state_count() < MOST;
        eprintln!(
            "{name}: {} states in {:?}, depth {}",
            checker.unique_state_count(),
            begun.elapsed(),
            checker.max_depth()
        );
        for property in checker.model().properties() {
            let is_example = property.expectation == stateright::Expectation::Sometimes;
            match found.get(property.name) {
                Some(path) if !is_example => {
                    panic!("{name}: {} does not hold:\n{}", property.name, told(path.clone()));
                }
                None if is_example && whole => panic!("{name}: {} is never reached", property.name),
                _ => {}
            }
        }
        assert!(whole, "{name}: it has more than can be gone through");
    }
}

/// More than this takes too long.
const MOST: usize = 6_000_000;

/// A way through a model, a line for each thing that happened: when, what, and what the table holds then.
fn told(path: Path<World, Action>) -> String {
    let row = |row: &Execution| {
        let Execution { status, delivery_status, attempt, due_at, withdraw, in_lane, .. } = row;
        let due = due_at.map(|due| due - BORN.as_seconds());
        let verdict = row.verdict.map(|verdict| verdict.reason);
        format!(
            "{status} {delivery_status} attempt {attempt} due {due:?} withdraw {withdraw} in lane {in_lane} {verdict:?}"
        )
    };
    let line = |(world, action): (World, Option<Action>)| {
        let rows: Vec<_> = world.rows.iter().flatten().map(|found| row(found)).collect();
        let calls: Vec<_> = world.handlers.iter().map(|handler| &handler.call).collect();
        format!("{:>3} {rows:?} {calls:?}\n    -> {action:?}\n", world.now)
    };
    path.into_vec().into_iter().map(line).collect()
}
