//! What follows from new counts: the command is given up by its criteria, whoever lets things go is told that more may go, and those who
//! listen are told how it stands.

use aws::Error;
use domain::{
    By, Command, CommandId, ControlState, Counts, Fleet, Plan, Reason, Timestamp,
    fleet::{AbortAction, Criterion, Seen},
};

use crate::{cloud::Cloud, fleet_view};

/// Others may change a command's control, or its plan, a few times.
const TRIES: usize = 4;

/// Draws them.
pub async fn draw(cloud: &Cloud, id: &CommandId, now: Timestamp) -> Result<(), Error> {
    let counts = cloud.tallies.sum(id).await?;
    let plan = cloud.fleets.plan(id).await?;
    let Some(mut command) = cloud.commands.get(id).await? else { return Ok(()) };
    let Some(fleet) = command.definition.target.fleet().cloned() else { return Ok(()) };
    if let Some(control) = abort(cloud, &command, &fleet, plan.as_ref(), &counts, now).await? {
        command.control = control;
    }
    if let Some(plan) = &plan
        && command.control.state == ControlState::Running
        && more_may_go(cloud, &command, &fleet, plan, &counts, now)
    {
        kick(cloud, id, now).await?;
    }
    fleet_view::tell(cloud, &command, &fleet, plan.as_ref(), &counts, now).await;
    Ok(())
}

/// Stops it, if a criterion says so; how it stands then.
async fn abort(
    cloud: &Cloud,
    command: &Command,
    fleet: &Fleet,
    plan: Option<&Plan>,
    counts: &Counts,
    now: Timestamp,
) -> Result<Option<domain::Control>, Error> {
    let (id, ends) = (&command.id, counts.ends());
    let mut control = command.control.clone();
    for _ in 0..TRIES {
        let since = plan.map(|plan| plan.resumed.ends).unwrap_or_default();
        let Some(criterion) = fleet.abort.tripped_since(&since, &ends) else { return Ok(None) };
        let Ok(next) = control.to(wanted(criterion), now, By::function("tally-command"), Some(criterion.to_string()))
        else {
            return Ok(None);
        };
        // A resume that is not noted in the plan yet would be undone at once.
        if plan.is_some_and(|plan| plan.is_resumed(&control)) && next.state == ControlState::Paused {
            return Ok(None);
        }
        if cloud.commands.write_control(id, &next).await? {
            tracing::warn!(command = %id, why = next.why, "a fleet command has stopped itself");
            return Ok(Some(next));
        }
        match cloud.commands.get(id).await? {
            Some(command) => control = command.control,
            None => return Ok(None),
        }
    }
    Err(Error::busy("stopping a command", id))
}

fn wanted(criterion: &Criterion) -> ControlState {
    match criterion.action() {
        AbortAction::Pause => ControlState::Paused,
        AbortAction::Cancel => ControlState::Canceled { force: false, reason: Reason::AbortCriteria },
    }
}

/// Whether whoever lets things go would do something now.
fn more_may_go(cloud: &Cloud, command: &Command, fleet: &Fleet, plan: &Plan, counts: &Counts, now: Timestamp) -> bool {
    let all_out = plan.complete && plan.things > 0 && counts.reached() >= plan.things;
    let broadcast = fleet.broadcast.is_some()
        && !plan.broadcast
        && !plan.is_broadcasting(now)
        && all_out
        && now < command.start_by();
    let paced = !fleet.is_immediate() && !plan.closed && plan.things > plan.pace.released;
    broadcast
        || paced && {
            let step = plan.pace.next(&fleet.rollout, &fleet.schedule, &Seen::of(plan, counts), cloud.tick, now);
            step.released > plan.pace.released || step.stop.is_some()
        }
}

async fn kick(cloud: &Cloud, id: &CommandId, now: Timestamp) -> Result<(), Error> {
    for _ in 0..TRIES {
        let Some(plan) = cloud.fleets.plan(id).await? else { return Ok(()) };
        // Whoever is sending its one message writes next.
        if plan.is_broadcasting(now) {
            return Ok(());
        }
        if cloud.fleets.write_plan(&plan.kicked(now)).await? {
            return Ok(());
        }
    }
    Err(Error::busy("letting go of more", id))
}
