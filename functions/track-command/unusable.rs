//! Keeps the last reports of a thing that could not be used, for `?explain`. They help the author of a device, and
//! nothing depends on them: if they can't be written, that is logged, and the event has been handled all the same.

use aws::Error;
use domain::{ThingName, UnusableReport};
use runtime::event_calls::Driver;
use runtime::handler_error::chain;

/// How often a write is tried that loses against another function.
const MAX_TRIES: u32 = 3;

pub(super) async fn keep(driver: &Driver<'_>, thing: &ThingName, report: UnusableReport) {
    if let Err(error) = try_to_keep(driver, thing, report).await {
        tracing::warn!(error = chain(&error), %thing, "an unusable report could not be kept");
    }
}

async fn try_to_keep(driver: &Driver<'_>, thing: &ThingName, report: UnusableReport) -> Result<(), Error> {
    let table = &driver.calls.clients.unusable_reports;
    for _ in 0..MAX_TRIES {
        let read = table.read(thing).await?;
        let Some(reports) = read.with(report.clone()) else { return Ok(()) };
        if table.write(thing, &read, &reports).await? {
            return Ok(());
        }
    }
    tracing::warn!(%thing, "an unusable report was not kept: others came at the same time");
    Ok(())
}
