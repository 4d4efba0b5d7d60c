//! What is owed to a plan, one thing after another: that all batches are told of a change of control, that the target is read, that things
//! are released, that the one message of a broadcast goes out. Each step is written before the next; its own write brings the function
//! back, so that one that dies is followed by another, and two fleets take turns.

use std::collections::HashSet;

use aws::{Error, Put, Registry};
use domain::{Command, CommandId, ControlState, Fleet, Plan, ThingName, Timestamp};
use tokio::sync::OnceCell;

use crate::{cloud::Cloud, fleet_view, stopwatch::Stopwatch};

/// Who plans for a command, since when, and with what.
#[derive(Debug)]
pub struct Planner<'a> {
    pub cloud: &'a Cloud,
    pub registry: &'a Registry,
    pub response_topic: Option<&'a str>,
    pub now: Timestamp,
    pub since: Stopwatch,
    /// Who is left out of the target, once that has been read.
    pub excluded: OnceCell<HashSet<ThingName>>,
}

/// What a step came to.
#[derive(Debug)]
pub enum Stepped {
    /// This is the plan now.
    On(Box<Plan>),
    /// Someone else has written it meanwhile.
    Lost,
    /// Nothing is owed to it now.
    Done,
}

/// So many steps are made at once; then others have their turn.
const SLICE: usize = 12;

/// No step is begun after so many seconds.
const PATIENCE: u32 = 20;

impl Planner<'_> {
    /// What time it is.
    pub fn time(&self) -> Timestamp {
        self.now.plus_seconds(self.since.seconds())
    }

    /// Does what is owed to a command's plan, as far as a slice goes.
    pub async fn see_to(&self, id: &CommandId) -> Result<(), Error> {
        let Some(command) = self.cloud.commands.get(id).await? else { return Ok(()) };
        let Some(fleet) = command.definition.target.fleet() else { return Ok(()) };
        let mut plan = self.plan(&command).await?;
        let before = plan.clone();
        for _ in 0..SLICE {
            match self.step(&command, fleet, &plan).await? {
                Stepped::On(next) => plan = *next,
                Stepped::Lost | Stepped::Done => break,
            }
            if self.since.seconds() > PATIENCE {
                break;
            }
        }
        // What follows from executions, the tally tells.
        let controlled = before.walk.generation != plan.walk.generation;
        if controlled || before.complete != plan.complete || before.closed != plan.closed {
            let counts = self.cloud.tallies.sum(id).await?;
            fleet_view::tell(self.cloud, &command, fleet, Some(&plan), &counts, self.time()).await;
        }
        Ok(())
    }

    async fn plan(&self, command: &Command) -> Result<Plan, Error> {
        if let Some(plan) = self.cloud.fleets.plan(&command.id).await? {
            return Ok(plan);
        }
        let plan = Plan::new(command, self.time());
        Ok(match self.cloud.fleets.put_plan(&plan).await? {
            Put::Stored => plan,
            Put::Exists(plan) => *plan,
        })
    }

    async fn step(&self, command: &Command, fleet: &Fleet, plan: &Plan) -> Result<Stepped, Error> {
        let (control, now) = (&command.control, self.time());
        if plan.is_resumed(control) {
            let counts = self.cloud.tallies.sum(&command.id).await?;
            return self.write(plan.resumed_at(control, &counts, now)).await;
        }
        if let Some(from) = plan.to_walk(control) {
            return self.walk(command, plan, from).await;
        }
        let paced = !fleet.is_immediate() && !plan.closed && control.state == ControlState::Running;
        if paced
            && plan.things > plan.pace.released
            && let Some(stepped) = self.release(command, fleet, plan).await?
        {
            return Ok(stepped);
        }
        if !plan.complete && !control.is_canceled() {
            return self.read(command, plan).await;
        }
        if let Some(broadcast) = &fleet.broadcast
            && let Some(stepped) = self.broadcast(command, broadcast, plan).await?
        {
            return Ok(stepped);
        }
        let waits = match control.state {
            ControlState::Running => {
                let released = fleet.is_immediate() || plan.closed || plan.pace.released >= plan.things;
                !released || fleet.broadcast.is_some() && !plan.broadcast && now < command.start_by() && plan.things > 0
            }
            // Who changes that again begins here again.
            ControlState::Paused | ControlState::Canceled { .. } => false,
        };
        match plan.due_at {
            Some(_) if !waits => self.write(plan.at_rest()).await.map(|_| Stepped::Done),
            Some(due) if due <= now.as_seconds() => self.write(plan.kicked(now)).await.map(|_| Stepped::Done),
            _ => Ok(Stepped::Done),
        }
    }

    /// Writes the next state of a plan.
    pub async fn write(&self, next: Plan) -> Result<Stepped, Error> {
        Ok(if self.cloud.fleets.write_plan(&next).await? { Stepped::On(Box::new(next)) } else { Stepped::Lost })
    }
}
