//! What is owed to a plan, one thing after another: that all batches are told of a change of control, that the target is read, that things
//! are released, that the one message of a broadcast goes out. Each step is written before the next; its own write brings the function
//! back, so that one that dies is followed by another, and two fleets take turns.

use aws::{Error, Put, Registry};
use domain::{Command, CommandId, Plan, Timestamp};

use crate::{cloud::Cloud, stopwatch::Stopwatch};

/// Who plans, since when, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Planner<'a> {
    pub cloud: &'a Cloud,
    pub registry: &'a Registry,
    pub response_topic: Option<&'a str>,
    pub now: Timestamp,
    pub since: Stopwatch,
}

/// What a step came to.
#[derive(Debug)]
pub enum Stepped {
    /// This is the plan now.
    On(Plan),
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
        if command.definition.target.fleet().is_none() {
            return Ok(());
        }
        let mut plan = self.plan(&command).await?;
        for _ in 0..SLICE {
            match self.step(&command, &plan).await? {
                Stepped::On(next) => plan = next,
                Stepped::Lost | Stepped::Done => break,
            }
            if self.since.seconds() > PATIENCE {
                break;
            }
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

    async fn step(&self, command: &Command, plan: &Plan) -> Result<Stepped, Error> {
        if let Some(from) = plan.to_walk(&command.control) {
            return self.walk(command, plan, from).await;
        }
        if !plan.complete && !command.control.is_canceled() {
            return self.read(command, plan).await;
        }
        Ok(Stepped::Done)
    }

    /// Writes the next state of a plan.
    pub async fn write(&self, next: Plan) -> Result<Stepped, Error> {
        Ok(if self.cloud.fleets.write_plan(&next).await? { Stepped::On(next) } else { Stepped::Lost })
    }
}
