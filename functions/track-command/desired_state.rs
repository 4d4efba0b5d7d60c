//! Completes the desired-state executions that a shadow's `reported` section now satisfies.

use aws::Error;
use domain::{Execution, Key, LaneName, Report, ShadowEvent, desired_state_reached};
use driver::driver::Driver;

use super::finish::finish;

pub(super) async fn complete_reached(driver: &Driver<'_>, event: &ShadowEvent) -> Result<(), Error> {
    let Some(reported) = event.reported() else { return Ok(()) };
    let lane = LaneName::desired_state(event.shadow.as_ref());
    let queue = driver.clients.lanes.read(&event.thing, &lane).await?;
    for id in queue.ids {
        let Some(row) = driver.read(&Key { thing: event.thing.clone(), id }).await? else { continue };
        if is_reached(driver, &row, reported.get()).await? {
            let report = Report::desired_state(row.key.clone(), row.attempt);
            finish(driver, row, &report).await?;
        }
    }
    Ok(())
}

async fn is_reached(driver: &Driver<'_>, row: &Execution, reported: &str) -> Result<bool, Error> {
    let command = driver.clients.commands.get(&row.command).await?;
    let payload = command.as_ref().and_then(|command| command.definition.payload.as_ref());
    // A state that was written to the shadow after this event is not what the device has reported about.
    let written_before = row.sent_at.is_some_and(|sent| sent <= driver.event_time());
    Ok(written_before && payload.is_some_and(|desired| desired_state_reached(desired, reported)))
}
