//! `GET /commands/{commandId}` of a fleet command: the command with its state, its counts and its plan.

use aws::CountTotals;
use domain::{Command, Fleet, FleetState, Plan, Timestamp};
use runtime::clients::Clients;
use runtime::{command_progress, time_format};
use serde::Serialize;
use serde_json::{Value, json};

use crate::command_api::{problem::Problem, response::Response, view::CommandView};

/// What the state of a fleet command follows from, besides its row.
pub struct FleetSnapshot {
    plan: Option<Plan>,
    totals: CountTotals,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetView<'a> {
    #[serde(flatten)]
    command: CommandView<'a>,
    rollout: Value,
    abort_config: Value,
    schedule: Value,
    broadcast: Option<Value>,
    why: Option<&'a str>,
    plan: Value,
}

pub async fn show(clients: &Clients, command: &Command, now: Timestamp) -> Result<Response, Problem> {
    FleetSnapshot::read(clients, command).await?.show(command, now)
}

impl FleetSnapshot {
    pub async fn read(clients: &Clients, command: &Command) -> Result<Self, Problem> {
        // The plan first: counts that are newer than the plan never make a command look completed too early.
        let plan = clients.fleets.plan(&command.id).await?;
        let totals = clients.counts.totals(&command.id).await?;
        Ok(Self { plan, totals })
    }

    pub fn state(&self, command: &Command, now: Timestamp) -> Result<FleetState, Problem> {
        Ok(FleetState::of(command, fleet_of(command)?, self.plan.as_ref(), &self.totals.counts, now))
    }

    /// Publishes the command as it is after a change by an operator, on its topic.
    pub async fn publish(&self, clients: &Clients, command: &Command, now: Timestamp) -> Result<(), Problem> {
        let (fleet, plan) = (fleet_of(command)?, self.plan.as_ref());
        command_progress::publish(clients, command, fleet, plan, &self.totals, now).await;
        Ok(())
    }

    pub fn show(&self, command: &Command, now: Timestamp) -> Result<Response, Problem> {
        let fleet = fleet_of(command)?;
        let plan = self.plan.as_ref();
        let counts = command_progress::counts_json(command, fleet, plan, &self.totals);
        let view = FleetView {
            command: CommandView::new(command, self.state(command, now)?, counts),
            rollout: json!(fleet.rollout.options()),
            abort_config: json!({"criteriaList": fleet.abort.options()}),
            schedule: schedule(fleet),
            broadcast: broadcast(fleet, plan),
            why: command.control.why.as_deref(),
            plan: plan.map_or(Value::Null, |plan| {
                let released = plan.released_things(fleet);
                let next_release_at =
                    plan.next_release_at(command, fleet, &self.totals.counts, now).map(time_format::show);
                json!({
                    "complete": plan.complete,
                    "things": plan.things,
                    "released": released,
                    "nextReleaseAt": next_release_at,
                    "notes": plan.notes,
                })
            }),
        };
        Ok(Response::json(200, &view))
    }
}

/// Only fleet commands reach this file.
fn fleet_of(command: &Command) -> Result<&Fleet, Problem> {
    command.definition.target.fleet().ok_or_else(Problem::internal)
}

fn schedule(fleet: &Fleet) -> Value {
    let schedule = &fleet.schedule;
    json!({
        "notBefore": schedule.not_before.map(time_format::show),
        "notAfter": schedule.not_after.map(time_format::show),
        "window": schedule.window.map(|window| {
            json!({"start": window.start(), "end": window.end(), "offset": window.offset()})
        }),
    })
}

fn broadcast(fleet: &Fleet, plan: Option<&Plan>) -> Option<Value> {
    let broadcast = fleet.broadcast.as_ref()?;
    let sent_at = plan.filter(|plan| plan.broadcast_sent).and_then(|plan| plan.broadcast_at);
    Some(json!({
        "topic": broadcast.topic.as_str(),
        "spread": broadcast.spread,
        "sentAt": sent_at.map(time_format::show),
    }))
}
