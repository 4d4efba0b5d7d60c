//! Removes a request from a shadow, while the device and other writers change the same shadow.

use calls::{Calls, Error, ShadowWriteOutcome, chain};
use domain::{Change, Execution};

use crate::driver::Driver;

const OPERATION: &str = "removing a request from a shadow";

impl<C: Calls> Driver<'_, C> {
    /// The change that ends a row, after the clean-up of its shadow where that is all that is left to do then; else the
    /// change as it is.
    pub(crate) async fn with_clean_shadow(&self, row: &Execution, change: Box<Change>) -> Box<Change> {
        match row.last_verdict(&change, self.event_time()) {
            Some(last) if self.try_clean_shadow(row).await => Box::new(last),
            _ => change,
        }
    }

    /// Whether the shadow is clean now. If not, the row keeps its due entry, and the clean-up is retried.
    pub(crate) async fn try_clean_shadow(&self, row: &Execution) -> bool {
        match self.clean_shadow(row).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = chain(&error), execution = %row.key, "the shadow clean-up failed: retried later");
                false
            }
        }
    }

    /// Removes everything of an execution from its shadow. Doing so twice changes nothing.
    ///
    /// # Errors
    /// A failed read or write, a document that can't be read, or an update that was lost as often as the retry policy
    /// allows.
    pub async fn clean_shadow(&self, row: &Execution) -> Result<(), Error> {
        let Some(route) = row.channel.shadow() else { return Ok(()) };
        let command = if route.needs_document() { self.calls.read_command(&row.command).await? } else { None };
        let payload = command.as_ref().and_then(|command| command.definition.payload.as_ref());
        let mut retries = self.retries(OPERATION, &row.key);
        loop {
            // A shadow that was deleted must not be created again: its existence says that the thing takes commands in
            // it.
            let Some(document) = self.calls.read_shadow(&row.key.thing, route.shadow()).await? else { return Ok(()) };
            let update = route.removal_update(&row.key, payload, Some(&document));
            let Some(update) = update.map_err(|error| Error::unreadable(OPERATION, &row.key, error))? else {
                return Ok(());
            };
            match self.calls.update_shadow(&update).await? {
                ShadowWriteOutcome::Applied => return Ok(()),
                // A removal only makes a document smaller, so one that is too large was made for an older document.
                ShadowWriteOutcome::Conflict | ShadowWriteOutcome::TooLarge => retries.wait().await?,
            }
        }
    }
}
