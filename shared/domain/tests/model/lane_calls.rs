//! The calls of a handler that enters or leaves a lane.

use domain::{Change, Execution, ExecutionId, HeadAction, LaneCancel, LaneName, LaneQueue, LaneSettlement, NextAction};

use super::{
    call::{Call, LaneEntry},
    handler::{Handler, actor},
    scenario::{Scenario, at},
    world::{Row, World},
};

impl Handler {
    pub fn enter_lane_call(mut self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        match self.call.clone() {
            Call::ReadToJoin => match world.queue.joined(&self.row.key.id) {
                Some(_) => self.to(Call::Join(world.queue.clone())),
                None => self.supersede(world, scenario),
            },
            Call::Join(read) => {
                if read != world.queue {
                    return self.to(Call::ReadToJoin);
                }
                let id = &self.row.key.id;
                world.queue = read.joined(id)?;
                let before = world.indices_of(world.queue.before(id));
                world.sent[self.n].behind = before.iter().any(|other| !world.row(*other).is_terminal());
                self.supersede(world, scenario)
            }
            Call::CheckHead => {
                // The queue is empty if another handler has ended the row meanwhile.
                let queue = world.queue.clone();
                let head = queue.head().and_then(|id| world.index_of(id)).map(|head| world.row(head))?;
                let stale = HeadAction::of(Some(&head), at(self.since)) == HeadAction::Remove;
                self.to(if stale { Call::RemoveHead(queue) } else { Call::WaitInLane })
            }
            Call::RemoveHead(read) => {
                if read != world.queue {
                    return self.to(Call::CheckHead);
                }
                world.queue = read.left(read.head()?)?;
                Self { lane_entry: LaneEntry::SecondCheck, ..self }.to(Call::ReadToJoin)
            }
            Call::WaitInLane => {
                let waits = self.row.wait_in_lane();
                self.write(world, &waits);
                None
            }
            _ => None,
        }
    }

    pub fn leave_lane_call(self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        match self.call.clone() {
            Call::ReadToLeave if self.row.stops_lane() => self.read_to_settle(world, scenario),
            Call::ReadToLeave => match world.queue.left(&self.row.key.id) {
                Some(_) => self.to(Call::Leave(world.queue.clone())),
                None => self.after_leaving(),
            },
            Call::Leave(read) => {
                if read != world.queue {
                    return self.to(Call::ReadToLeave);
                }
                world.queue = read.left(&self.row.key.id)?;
                self.after_leaving()
            }
            Call::Settle(read, settlement) => self.settle(world, &read, &settlement.0, &settlement.1),
            Call::NextHead => self.process_head(world, scenario),
            _ => None,
        }
    }

    /// Reads the queue and its rows, ends what has to end and cleans up shadows. All rows are read and written in one
    /// step, since a handler that loses a write reads again.
    fn read_to_settle(self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        let queue = world.queue.clone();
        let indices: Vec<_> = queue.ids.iter().map(|id| world.index_of(id)).collect();
        let rows: Vec<_> = indices.iter().map(|n| n.map(|n| Execution::clone(&world.row(n)))).collect();
        let mut settlement = queue.settle(&rows, &self.row.key.id, at(self.since), &actor());
        for (position, change) in std::mem::take(&mut settlement.ends) {
            world.write(indices[position]?, &change, self.since);
        }
        let mut cleaned_up = Vec::new();
        for ended in &settlement.ended {
            let n = world.index_of(&ended.id)?;
            self.clean_shadow_alone(world, scenario, n);
            // It holds only for this row: a sending that is in progress may put the request into the shadow again.
            if let NextAction::CleanUp { then, .. } = world.row(n).next_action(at(self.since), &actor()) {
                cleaned_up.push(*then);
            }
        }
        self.to(Call::Settle(queue, Box::new((settlement, cleaned_up))))
    }

    fn settle(
        self,
        world: &mut World,
        read: &LaneQueue,
        settlement: &LaneSettlement,
        cleaned_up: &[Change],
    ) -> Option<Self> {
        if *read != world.queue {
            let stops = self.row.stops_lane();
            return self.to(if stops { Call::ReadToLeave } else { Call::NextHead });
        }
        for (_, id) in &settlement.leaving {
            world.queue = world.queue.left(id)?;
        }
        for then in cleaned_up {
            world.write(world.index_of(&then.key.id)?, then, self.since);
        }
        match settlement.next.as_ref().and_then(|next| world.index_of(&next.id)) {
            Some(n) => {
                let next = world.row(n);
                self.send_next(n, next)
            }
            None => self.to(Call::WriteCleanedUp),
        }
    }

    fn lane(&self) -> Option<&LaneName> {
        self.row.lane.as_ref().map(|lane| &lane.name)
    }

    fn after_leaving(self) -> Option<Self> {
        let none_waits = self.lane().is_some_and(LaneName::is_desired_state);
        self.to(if none_waits { Call::WriteCleanedUp } else { Call::NextHead })
    }

    /// Cancels the executions that this one supersedes, and sends this one if its turn has come. Each is read and
    /// written in one step, since a handler that loses a write reads again.
    fn supersede(self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        let (lane, id) = (self.lane()?.clone(), self.row.key.id.clone());
        let supersede = scenario.commands[self.n].definition.supersede;
        for other in world.indices_of(world.queue.superseded_by(&id, &lane, supersede)) {
            if lane.is_desired_state() && !scenario.overlap(self.n, other) {
                continue;
            }
            let cancel = world.row(other).cancel_superseded(&lane, at(self.since), actor());
            if self.cancel_in_lane(world, other, cancel) && !world.row(other).stops_lane() {
                self.clean_up_alone(world, scenario, other);
            }
        }
        match (world.queue.is_turn_of(&id, &lane), self.lane_entry) {
            (true, _) => self.to(Call::Claim),
            (false, LaneEntry::Check) => self.to(Call::CheckHead),
            (false, LaneEntry::SecondCheck) => self.to(Call::WaitInLane),
            (false, LaneEntry::Create | LaneEntry::Other) => None,
        }
    }

    /// Whether the other execution has ended afterwards.
    fn cancel_in_lane(&self, world: &mut World, n: usize, cancel: LaneCancel) -> bool {
        match cancel {
            LaneCancel::Refused => false,
            LaneCancel::Ended => true,
            LaneCancel::Write(change) => world.write(n, &change, self.since).1,
        }
    }

    /// Sends the head of the queue if it waits, or settles the lane if the head has ended.
    fn process_head(self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        let Some(n) = world.queue.head().and_then(|id| world.index_of(id)) else {
            return self.to(Call::WriteCleanedUp);
        };
        let head = world.row(n);
        let ends = head.observe(at(self.since)).is_terminal();
        match HeadAction::of(Some(&head), at(self.since)) {
            HeadAction::Send if !ends => self.send_next(n, head),
            HeadAction::Wait if !ends => self.to(Call::WriteCleanedUp),
            _ => self.read_to_settle(world, scenario),
        }
    }

    fn send_next(mut self, n: usize, next: Row) -> Option<Self> {
        let row = std::mem::replace(&mut self.row, next);
        let outer = Some((self.n, row));
        Self { n, outer, ..self }.to(Call::Claim)
    }
}

impl World {
    fn indices_of(&self, ids: &[ExecutionId]) -> Vec<usize> {
        ids.iter().filter_map(|id| self.index_of(id)).collect()
    }
}
