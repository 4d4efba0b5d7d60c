//! `GET /commands/{id}` of a fleet command.

use domain::{Command, Counts, Fleet, FleetState, Plan, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cloud::Cloud,
    command_api::{http::Response, problem::Problem, view::CommandView},
    fleet_view, time,
};

/// A fleet command, with how it stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetView<'a> {
    #[serde(flatten)]
    command: CommandView<'a>,
    rollout: Value,
    abort_config: Value,
    schedule: Value,
    broadcast: Option<Value>,
    /// Why it was stopped, if it was.
    why: Option<&'a str>,
    plan: Value,
}

/// How it stands.
pub async fn show(cloud: &Cloud, command: &Command, _: &Fleet, now: Timestamp) -> Result<Response, Problem> {
    shown(cloud, command, now).await
}

/// The same.
pub async fn shown(cloud: &Cloud, command: &Command, now: Timestamp) -> Result<Response, Problem> {
    let Some(fleet) = command.definition.target.fleet() else { return Err(Problem::internal()) };
    let (plan, counts) = read(cloud, command).await?;
    let state = FleetState::of(command, fleet, plan.as_ref(), &counts, now);
    let view = FleetView {
        command: CommandView::new(command, state.as_str(), fleet_view::counts_of(plan.as_ref(), &counts)),
        rollout: json!(fleet.rollout.asked()),
        abort_config: json!({"criteriaList": fleet.abort.asked()}),
        schedule: json!({
            "notBefore": fleet.schedule.not_before.map(time::show),
            "notAfter": fleet.schedule.not_after.map(time::show),
            "window": fleet.schedule.window.map(|window| {
                json!({"start": window.start(), "end": window.end(), "offset": window.offset()})
            }),
        }),
        broadcast: fleet.broadcast.as_ref().map(|broadcast| {
            json!({
                "topic": broadcast.topic.as_str(),
                "spread": broadcast.spread,
                "sentAt": plan.as_ref().filter(|plan| plan.broadcast).and_then(|plan| plan.broadcast_at).map(time::show),
            })
        }),
        why: command.control.why.as_deref(),
        plan: plan.as_ref().map_or(Value::Null, |plan| {
            let released = if fleet.is_immediate() { plan.things } else { plan.pace.released };
            json!({"complete": plan.complete, "things": plan.things, "released": released, "notes": plan.notes})
        }),
    };
    Ok(Response::json(200, &view))
}

/// The same in a word.
pub async fn state(cloud: &Cloud, command: &Command, now: Timestamp) -> Result<FleetState, Problem> {
    let Some(fleet) = command.definition.target.fleet() else { return Err(Problem::internal()) };
    let (plan, counts) = read(cloud, command).await?;
    Ok(FleetState::of(command, fleet, plan.as_ref(), &counts, now))
}

async fn read(cloud: &Cloud, command: &Command) -> Result<(Option<Plan>, Counts), Problem> {
    // The plan first: counts that are newer than it say no more than is true.
    let plan = cloud.fleets.plan(&command.id).await?;
    Ok((plan, cloud.tallies.sum(&command.id).await?))
}
