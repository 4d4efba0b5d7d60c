//! Completes the desired-state executions that a shadow's `reported` section now satisfies.

use calls::{Calls, Error};
use domain::{Execution, Key, LaneName, Report, ShadowEvent, desired_state_reached};

use crate::driver::Driver;

impl<C: Calls> Driver<'_, C> {
    /// Completes the executions in the lane of a shadow's desired states that it satisfies.
    pub(crate) async fn complete_reached(&self, event: &ShadowEvent) -> Result<(), Error> {
        let Some(reported) = event.reported() else { return Ok(()) };
        let lane = event.shadow.as_ref().map_or_else(LaneName::classic_shadow, LaneName::desired_states);
        let queue = self.calls.read_lane(&event.thing, &lane).await?;
        for id in queue.ids {
            let Some(row) = self.read(&Key { thing: event.thing.clone(), id }).await? else { continue };
            if row.sets_desired_state() && self.is_reached(&row, reported.get()).await? {
                let report = Report::desired_state(row.key.clone(), row.attempt);
                self.finish(row, &report).await?;
            }
        }
        Ok(())
    }

    async fn is_reached(&self, row: &Execution, reported: &str) -> Result<bool, Error> {
        let command = self.calls.read_command(&row.command).await?;
        let payload = command.as_ref().and_then(|command| command.definition.payload.as_ref());
        // A state that was written to the shadow after this event is not what the device has reported about.
        let written_before = row.sent_at.is_some_and(|sent| sent <= self.event_time());
        Ok(written_before && payload.is_some_and(|desired| desired_state_reached(desired, reported)))
    }
}
