//! Things are let go, as many as the rollout and the schedule allow by now: batch after batch, the last one of them in part.

use aws::Error;
use domain::{
    By, Command, ControlState, Fleet, Pace, Plan,
    fleet::{Release, Seen, Stop},
};

use super::plan::{Planner, Stepped};

/// Others may write to a batch, a few times.
const TRIES: usize = 8;

impl Planner<'_> {
    /// Lets go of what may go now; none if nothing has changed.
    pub async fn release(&self, command: &Command, fleet: &Fleet, plan: &Plan) -> Result<Option<Stepped>, Error> {
        let counts = self.cloud.tallies.sum(&command.id).await?;
        let seen = Seen::of(plan, &counts);
        let now = self.time();
        let step = plan.pace.next(&fleet.rollout, &fleet.schedule, &seen, self.cloud.tick, now);
        if step.released > plan.pace.released {
            let release = self.let_go(command, plan, step.released).await?;
            return self.write(plan.let_go(step.pace(), release, now)).await.map(Some);
        }
        match step.stop {
            // How many are not asked is known once all are planned.
            Some(Stop::NotAfterPassed { .. }) if !plan.complete => Ok(None),
            Some(stop @ Stop::NotAfterPassed { .. }) => {
                if let Some(found) = self.found_out(command, plan).await? {
                    return self.write(found).await.map(Some);
                }
                tracing::info!(command = %command.id, "{stop}");
                self.write(plan.closed(stop.to_string())).await.map(Some)
            }
            Some(stop @ Stop::TooFewSucceeded { .. }) => {
                let by = By::function("fan-out-command");
                if let Ok(control) = command.control.to(ControlState::Paused, now, by, Some(stop.to_string())) {
                    self.cloud.commands.write_control(&command.id, &control).await?;
                }
                Ok(Some(Stepped::Done))
            }
            None => match step.look_again.filter(|at| plan.due_at != Some(at.as_seconds_rounded_up())) {
                Some(at) if plan.complete => self.write(plan.looked_at(at)).await.map(|_| Some(Stepped::Done)),
                _ => Ok(None),
            },
        }
    }

    /// Lets go of so many things in all.
    async fn let_go(&self, command: &Command, plan: &Plan, upto: u64) -> Result<Release, Error> {
        let mut release = plan.release;
        while release.batch < plan.batches {
            let things = self.let_go_in(command, release, upto).await?;
            let next = release.before.saturating_add(things);
            if next > upto {
                break;
            }
            release = Release { batch: release.batch.saturating_add(1), before: next };
        }
        Ok(release)
    }

    /// The plan with more let go than it knows of, if there is more: whoever let go of that did not live to write it.
    async fn found_out(&self, command: &Command, plan: &Plan) -> Result<Option<Plan>, Error> {
        let (mut release, mut released) = (plan.release, plan.pace.released);
        while let Some(batch) = self.cloud.fleets.batch(&command.id, release.batch).await? {
            released = released.max(release.before.saturating_add(batch.allowed.into()));
            if batch.allowed < batch.things {
                break;
            }
            let before = release.before.saturating_add(batch.things.into());
            release = Release { batch: release.batch.saturating_add(1), before };
        }
        let pace = Pace { released, ..plan.pace };
        Ok((released > plan.pace.released).then(|| plan.let_go(pace, release, self.time())))
    }

    /// Lets go of the things of one batch that are among the first so many; how many are in it.
    async fn let_go_in(&self, command: &Command, release: Release, upto: u64) -> Result<u64, Error> {
        for _ in 0..TRIES {
            let Some(batch) = self.cloud.fleets.batch(&command.id, release.batch).await? else { return Ok(0) };
            let allowed = u16::try_from(upto.saturating_sub(release.before)).unwrap_or(u16::MAX);
            let written = match batch.released(allowed, self.time()) {
                None => true,
                Some(released) => self.cloud.fleets.write_batch(&released).await?,
            };
            if written {
                return Ok(batch.things.into());
            }
        }
        Err(Error::busy("letting go of a batch", format!("{}/{}", command.id, release.batch)))
    }
}
