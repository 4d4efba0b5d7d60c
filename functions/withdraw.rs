//! Removes a request from a shadow, whatever else is written there meanwhile.

use std::time::Duration;

use aws::{Error, Updated};
use domain::Execution;

use crate::turn::Turn;

/// Whoever else writes to the shadow may be faster, a few times.
const TRIES: u64 = 5;

impl Turn<'_> {
    /// Sees to it that nothing of this execution is left in its shadow. Doing so twice is doing so once.
    pub async fn withdraw(&self, row: &Execution) -> Result<(), Error> {
        const OPERATION: &str = "withdrawing from a shadow";
        let Some(route) = row.via.shadow() else { return Ok(()) };
        let needs_document = route.needs_document();
        let command = if needs_document { self.cloud.commands.get(&row.command).await? } else { None };
        let wanted = command.as_ref().and_then(|command| command.definition.payload.as_ref());
        for tried in 0..TRIES {
            let document = match needs_document {
                true => self.cloud.shadows.get(&row.key.thing, route.shadow()).await?,
                false => None,
            };
            let update = route.withdrawal(&row.key, wanted, document.as_deref());
            let Some(update) = update.map_err(|error| Error::unreadable(OPERATION, &row.key, error))? else {
                return Ok(());
            };
            match self.cloud.shadows.update(&update).await? {
                Updated::Done => return Ok(()),
                // Someone else has written. Not all of them at once again: an id is a hash.
                Updated::Conflict => {
                    let spread = row.key.id.as_str().bytes().map(u64::from).sum::<u64>() % 20;
                    tokio::time::sleep(Duration::from_millis((10 + spread) << tried)).await;
                }
                Updated::TooLarge => break,
            }
        }
        Err(Error::busy(OPERATION, &row.key))
    }
}
