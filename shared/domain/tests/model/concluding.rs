//! A handler's errands in a shadow and in a lane.

use domain::{Execution, OnFailure, Owed, Reason, Status};

use super::{
    handler::{Call, Entry, Handler, by},
    rules,
    scenario::{Scenario, at},
    world::World,
};

impl Handler {
    pub fn conclude(mut self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        match self.call.clone() {
            Call::ReadShadow { .. } => {
                let document = world.shadow.read().map(Into::into);
                self.to(Call::Withdraw(document))
            }
            Call::Withdraw(document) => {
                let route = self.row.via.shadow()?;
                let payload = scenario.commands[self.n].definition.payload.as_ref();
                let update = route.withdrawal(&self.row.key, payload, document.as_deref()).unwrap();
                let foreign = world.shadow.has_foreign();
                if update.is_none_or(|update| world.shadow.update(&update)) {
                    let taken_along = foreign && !world.shadow.has_foreign();
                    world.break_rule(taken_along.then_some(rules::FOREIGN));
                    self.withdrawn()
                } else {
                    self.to(Call::ReadShadow { again: true })
                }
            }
            Call::ReadToJoin => match world.queue.joined(&self.row.key.id) {
                Some(_) => self.to(Call::Join(world.queue.clone())),
                None => self.supersede(world, scenario),
            },
            Call::Join(seen) => {
                if seen != world.queue {
                    return self.to(Call::ReadToJoin);
                }
                let id = &self.row.key.id;
                world.queue = seen.joined(id)?;
                let others = world.queue.before(id).iter().filter_map(|other| world.named(other)).collect::<Vec<_>>();
                world.sent[self.n].behind = others.iter().any(|other| !world.row(*other).is_terminal());
                self.supersede(world, scenario)
            }
            Call::Behind => {
                let queue = world.queue.clone();
                let head = queue.head().and_then(|id| world.named(id)).map(|head| world.row(head))?;
                let left = head.is_terminal() && !head.in_lane;
                self.to(if left { Call::Drop(queue) } else { Call::Waits })
            }
            Call::Drop(seen) => {
                if seen != world.queue {
                    return self.to(Call::Behind);
                }
                world.queue = seen.left(seen.head()?)?;
                Self { entry: Entry::SecondTurn, ..self }.to(Call::ReadToJoin)
            }
            Call::Waits => {
                let waits = self.row.waits();
                self.write(world, &waits);
                self.done()
            }
            Call::ReadToLeave => {
                let queue = world.queue.clone();
                if stops(&self.row) {
                    let behind: Vec<_> =
                        queue.behind(&self.row.key.id).iter().filter_map(|id| world.named(id)).collect();
                    for other in behind {
                        if self.call_off(world, other, Reason::LaneStopped, false) {
                            self.freed.push((other, world.row(other)));
                        }
                    }
                }
                match queue.left(&self.row.key.id) {
                    Some(_) => self.to(Call::Leave(queue)),
                    None => self.left_lane(),
                }
            }
            Call::Leave(seen) => {
                if seen != world.queue {
                    return self.to(Call::ReadToLeave);
                }
                world.queue = seen.left(&self.row.key.id)?;
                self.left_lane()
            }
            Call::Head => self.head(world),
            Call::Clear => {
                let Owed::Conclude { then, .. } = self.row.owed(at(self.since)) else { return self.drive() };
                self.write(world, &then);
                self.drive()
            }
            _ => None,
        }
    }

    fn is_wish(&self) -> bool {
        self.row.lane.as_ref().is_some_and(|lane| lane.name.is_of_state())
    }

    /// It has left its lane; nobody waits among wishes.
    fn left_lane(self) -> Option<Self> {
        let next = if self.is_wish() { Call::Clear } else { Call::Head };
        self.to(next)
    }

    /// It is in its lane, and calls off those whose place it takes. Each is read and written: whoever is refused reads again.
    fn supersede(self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        let before = world.queue.before(&self.row.key.id).iter();
        for other in before.filter_map(|other| world.named(other)).collect::<Vec<_>>() {
            let replaced = match self.is_wish() {
                true => scenario.overlap(self.n, other),
                false => scenario.commands[self.n].definition.supersede,
            };
            // Those behind one that has failed are called off by whoever leaves the lane for it.
            let replaced = replaced && (self.is_wish() || !stops(&world.row(other)));
            if replaced && self.call_off(world, other, Reason::Superseded, !self.is_wish()) {
                self.conclude_alone(world, scenario, other);
            }
        }
        self.entered(world)
    }

    /// It is in its lane: at the head it goes out.
    fn entered(self, world: &World) -> Option<Self> {
        match (self.is_wish() || world.queue.head() == Some(&self.row.key.id), self.entry) {
            (true, _) => self.to(Call::Claim),
            (false, Entry::Turn) => self.to(Call::Behind),
            (false, Entry::SecondTurn) => self.to(Call::Waits),
            (false, Entry::Create | Entry::Other) => None,
        }
    }

    /// It has left its lane: whoever is at the head and waits goes out; whoever is there and has ended is seen to.
    fn head(mut self, world: &mut World) -> Option<Self> {
        while let Some(n) = world.queue.head().and_then(|id| world.named(id)) {
            let next = world.row(n);
            if next.is_terminal() && !next.in_lane {
                world.queue = world.queue.left(&next.key.id)?;
                continue;
            }
            if next.is_terminal() {
                self.freed.push((n, next));
            } else if next.waits_in_lane() && !next.is_put_off(at(self.since)) {
                let row = std::mem::replace(&mut self.row, next);
                let outer = Some((self.n, row));
                return Self { n, outer, ..self }.to(Call::Claim);
            }
            break;
        }
        self.to(Call::Clear)
    }

    fn withdrawn(mut self) -> Option<Self> {
        if std::mem::take(&mut self.ending) {
            return self.to(Call::Finish { withdrawn: true });
        }
        let leaves = self.row.in_lane;
        self.to(if leaves { Call::ReadToLeave } else { Call::Clear })
    }

    /// Whether it has ended then, one way or another.
    fn call_off(&self, world: &mut World, n: usize, reason: Reason, unsent: bool) -> bool {
        let row = world.row(n);
        if unsent && !row.is_terminal() && !row.is_undelivered() {
            return false;
        }
        // One whose time has passed has ended only once that is written: whoever started earlier would still send it.
        let change = match (row.cancel(reason, at(self.since), false, by()), row.owed(at(self.since))) {
            (Ok(change), _) => change,
            (Err(_), _) if row.is_terminal() => return true,
            (Err(_), Owed::Change(change)) => *change,
            _ => return false,
        };
        world.write(n, &change, self.since).1
    }

    /// What is left to do after it has ended, without those whom it sets free.
    fn conclude_alone(&self, world: &mut World, scenario: &Scenario, n: usize) {
        let row = world.row(n);
        if let Some(route) = row.via.shadow().filter(|_| row.withdraw) {
            let document = world.shadow.read();
            let update = route.withdrawal(&row.key, scenario.wish(n), document.as_deref()).unwrap();
            update.map(|update| world.shadow.update(&update));
        }
        if let Owed::Conclude { then, .. } = row.owed(at(self.since)) {
            world.queue = world.queue.left(&row.key.id).unwrap_or_else(|| world.queue.clone());
            world.write(n, &then, self.since);
        }
    }
}

fn stops(row: &Execution) -> bool {
    let stops = row.lane.as_ref().is_some_and(|lane| lane.on_failure == OnFailure::Stop);
    let passed = [Some(Reason::Superseded), Some(Reason::LaneStopped)];
    let passed = passed.contains(&row.verdict.map(|verdict| verdict.reason));
    stops && row.is_terminal() && row.status != Status::Succeeded && !passed
}
