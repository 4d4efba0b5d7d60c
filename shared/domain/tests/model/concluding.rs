//! A handler's errands in a shadow and in a lane.

use domain::{DeliveryStatus, OnFailure, Owed, Reason, Status};

use super::{
    handler::{Call, Handler, by},
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
                if update.is_none_or(|update| world.shadow.update(&update)) {
                    self.withdrawn()
                } else {
                    self.to(Call::ReadShadow { again: true })
                }
            }
            Call::ReadToJoin => match world.queue.joined(&self.row.key.id) {
                Some(_) => self.to(Call::Join(world.queue.clone())),
                None => self.to(Call::Head),
            },
            Call::Join(seen) => {
                if seen != world.queue {
                    return self.to(Call::ReadToJoin);
                }
                let id = &self.row.key.id;
                world.queue = seen.joined(id)?;
                let others = world.queue.before(id).iter().filter_map(|other| world.named(other)).collect::<Vec<_>>();
                world.sent[self.n].behind = others.iter().any(|other| !world.row(*other).is_terminal());
                if scenario.commands[self.n].definition.supersede {
                    // Each is read and written: whoever is refused reads again.
                    others.into_iter().for_each(|other| self.call_off(world, other, Reason::Superseded));
                }
                self.to(Call::Head)
            }
            Call::ReadToLeave => {
                let queue = world.queue.clone();
                if self.stops() {
                    let behind: Vec<_> =
                        queue.behind(&self.row.key.id).iter().filter_map(|id| world.named(id)).collect();
                    behind.into_iter().for_each(|other| self.call_off(world, other, Reason::LaneStopped));
                }
                match queue.left(&self.row.key.id) {
                    Some(_) => self.to(Call::Leave(queue)),
                    None => self.to(Call::Head),
                }
            }
            Call::Leave(seen) => {
                if seen != world.queue {
                    return self.to(Call::ReadToLeave);
                }
                world.queue = seen.left(&self.row.key.id)?;
                self.to(Call::Head)
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

    /// Whoever is at the head and waits goes out; whoever is there and has ended is seen to.
    fn head(mut self, world: &World) -> Option<Self> {
        let head = world.queue.head().and_then(|id| world.named(id));
        match head.map(|head| (head, world.row(head))) {
            Some((n, next)) if next.waits_in_lane() => {
                let row = std::mem::replace(&mut self.row, next);
                let outer = row.is_terminal().then_some((self.n, row));
                Self { n, outer, ..self }.to(Call::Claim)
            }
            _ if self.row.is_terminal() => self.to(Call::Clear),
            _ => None,
        }
    }

    fn withdrawn(self) -> Option<Self> {
        let leaves = self.row.in_lane;
        match self.row.is_terminal() {
            false => self.to(Call::Finish { withdrawn: true }),
            true if leaves => self.to(Call::ReadToLeave),
            true => self.to(Call::Clear),
        }
    }

    fn stops(&self) -> bool {
        let stops = self.row.lane.as_ref().is_some_and(|lane| lane.on_failure == OnFailure::Stop);
        let superseded = self.row.verdict.is_some_and(|verdict| verdict.reason == Reason::Superseded);
        stops && self.row.status != Status::Succeeded && !superseded
    }

    fn call_off(&self, world: &mut World, n: usize, reason: Reason) {
        let row = world.row(n);
        let waits = matches!(row.delivery_status, DeliveryStatus::Pending | DeliveryStatus::Queued);
        if reason == Reason::Superseded && !waits {
            return;
        }
        // One whose time has passed has ended only once that is written: whoever started earlier would still send it.
        let change = match (row.cancel(reason, at(self.since), false, by()), row.owed(at(self.since))) {
            (Ok(change), _) => change,
            (Err(_), Owed::Change(change)) => *change,
            _ => return,
        };
        world.write(n, &change);
    }
}
