//! `Planner`: asks a plan for its next action and does it, a limited number of times per invocation.
//!
//! Each action ends with a write of the plan. The stream record of that write starts the next invocation, so a crash
//! loses at most one action, and the plans of several commands take turns.

use std::collections::HashSet;

use aws::{Error, PutOutcome, Registry};
use domain::{
    Actor, Command, CommandId, Control, ControlState, Fleet, Plan, ThingName, Timestamp, Wake, fleet::PlanAction,
};
use tokio::sync::OnceCell;

use runtime::clients::Clients;
use runtime::command_progress;
use runtime::event_clock::EventClock;

/// Processes the plan of one command.
#[derive(Debug)]
pub struct Planner<'a> {
    pub clients: &'a Clients,
    pub registry: &'a Registry,
    pub response_topic: Option<&'a str>,
    pub clock: EventClock,
    /// The excluded things of the target, once they are read.
    pub excluded: OnceCell<HashSet<ThingName>>,
}

/// The outcome of one action.
#[derive(Debug)]
pub enum StepOutcome {
    /// The plan was written.
    Advanced(Box<Plan>),
    /// Another invocation has written the plan.
    Conflict,
    /// Nothing is to be done now.
    Idle,
}

/// Actions for one plan in one invocation.
const MAX_ACTIONS: usize = 12;

/// No action starts when the invocation has run for more than this many seconds.
const ACTION_START_CUTOFF_SECONDS: u32 = 20;

impl Planner<'_> {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does the next actions of a command's plan.
    pub async fn process(&self, id: &CommandId) -> Result<(), Error> {
        let Some(command) = self.clients.commands.get(id).await? else { return Ok(()) };
        let Some(fleet) = command.definition.target.fleet() else { return Ok(()) };
        let mut plan = self.read_plan(&command).await?;
        let before = plan.clone();
        for _ in 0..MAX_ACTIONS {
            match self.step(&command, fleet, &plan).await? {
                StepOutcome::Advanced(next) => plan = *next,
                StepOutcome::Conflict | StepOutcome::Idle => break,
            }
            if self.clock.elapsed_seconds() > ACTION_START_CUTOFF_SECONDS {
                break;
            }
        }
        // Progress that follows from executions is published by tally-command.
        if plan.changes_state(&before) {
            let totals = self.clients.counts.totals(id).await?;
            // Read last: an event must not know less of the control than one with a smaller number.
            let Some(command) = self.clients.commands.get(id).await? else { return Ok(()) };
            let Some(fleet) = command.definition.target.fleet() else { return Ok(()) };
            command_progress::publish(self.clients, &command, fleet, Some(&plan), &totals, self.now()).await;
        }
        Ok(())
    }

    /// The plan of a command. It is created if command-api has crashed before it stored it.
    async fn read_plan(&self, command: &Command) -> Result<Plan, Error> {
        if let Some(plan) = self.clients.fleets.plan(&command.id).await? {
            return Ok(plan);
        }
        let plan = Plan::new(command, self.now());
        Ok(match self.clients.fleets.put_plan(&plan).await? {
            PutOutcome::Stored => plan,
            PutOutcome::Exists(plan) => *plan,
        })
    }

    async fn step(&self, command: &Command, fleet: &Fleet, plan: &Plan) -> Result<StepOutcome, Error> {
        let mut counts = None;
        loop {
            return match plan.next_action(command, fleet, counts.as_ref(), self.now()) {
                PlanAction::ReadCounts => {
                    counts = Some(self.clients.counts.sum(&command.id).await?);
                    continue;
                }
                PlanAction::RecordResume(next) => self.write(*next).await,
                PlanAction::PropagateControl(batches) => self.propagate_control(command, plan, batches).await,
                PlanAction::Stop(control) => self.stop(command, control).await,
                PlanAction::Release(step) => self.release(command, fleet, plan, &step).await,
                PlanAction::Close { note } => self.close(command, plan, note).await,
                PlanAction::Pause { reason } => self.pause(command, reason).await,
                PlanAction::ReadPage(source) => self.read_page(command, fleet, plan, source).await,
                PlanAction::FinishReading => self.finish_reading(command, fleet, plan).await,
                PlanAction::SendBroadcast(broadcast) => self.send_broadcast(command, broadcast, plan).await,
                PlanAction::AwaitStep(next, times) => {
                    self.write_with_wakes(*next, &step_wakes(command, &times)).await.map(|_| StepOutcome::Idle)
                }
                PlanAction::Reschedule(next) => self.reschedule(*next).await,
                PlanAction::Idle => Ok(StepOutcome::Idle),
            };
        }
    }

    /// Writes the next revision of a plan.
    pub async fn write(&self, next: Plan) -> Result<StepOutcome, Error> {
        let is_applied = self.clients.fleets.write_plan(&next).await?;
        Ok(if is_applied { StepOutcome::Advanced(Box::new(next)) } else { StepOutcome::Conflict })
    }

    /// Writes a plan with another due entry, and sends its wake.
    async fn reschedule(&self, next: Plan) -> Result<StepOutcome, Error> {
        if let StepOutcome::Advanced(plan) = self.write(next).await?
            && let Some(due) = plan.due_at
        {
            let wake = Wake::Step { command: plan.command, at: Timestamp::from_seconds(due) };
            self.clients.wakes.send_within_horizon(wake, self.clock).await;
        }
        Ok(StepOutcome::Idle)
    }

    /// As [`Self::write`], and sends these wakes. Only the writer of the revision sends them, so they do not multiply
    /// when several invocations look at a plan.
    pub async fn write_with_wakes(&self, next: Plan, wakes: &[Wake]) -> Result<StepOutcome, Error> {
        let outcome = self.write(next).await?;
        if matches!(outcome, StepOutcome::Advanced(_)) && !wakes.is_empty() {
            self.clients.wakes.send(wakes, self.clock).await;
        }
        Ok(outcome)
    }

    /// Stops a command by its abort criteria, as tally-command does. The stream record of the write starts the
    /// propagation.
    async fn stop(&self, command: &Command, control: Control) -> Result<StepOutcome, Error> {
        if self.clients.commands.write_control(&command.id, &control).await? {
            let command = &command.id;
            tracing::warn!(%command, why = control.why, "a fleet command was stopped by its abort criteria");
        }
        Ok(StepOutcome::Idle)
    }

    /// Pauses a command. The stream record of the write starts the propagation.
    async fn pause(&self, command: &Command, reason: String) -> Result<StepOutcome, Error> {
        let actor = Actor::function("fan-out-command");
        if let Ok(control) = command.control.change_to(ControlState::Paused, self.now(), actor, Some(reason)) {
            self.clients.commands.write_control(&command.id, &control).await?;
        }
        Ok(StepOutcome::Idle)
    }
}

/// Wakes for these times of a rollout's next steps.
pub fn step_wakes(command: &Command, times: &[Timestamp]) -> Vec<Wake> {
    times.iter().map(|&at| Wake::Step { command: command.id.clone(), at }).collect()
}
