//! Looks at the executions of a batch: those whose time has passed are ended, and all are canceled with their command.

use std::sync::Arc;

use aws::{Error, Executions};
use domain::{Batch, Command, Key, ThingName, Timestamp};
use tokio::task::JoinSet;

use super::{dispatcher::Dispatcher, summary::Summary};
use runtime::handler_error::chain;

impl Dispatcher {
    /// Does the next actions of the executions of these things. Returns when the batch has to look at them again.
    pub(super) async fn monitor_executions(
        self: &Arc<Self>,
        command: &Arc<Command>,
        things: &[ThingName],
        summary: &mut Summary,
    ) -> Result<Option<Timestamp>, Error> {
        self.look_at_each(command, things, summary, false).await
    }

    /// Cancels the executions of these things; those in progress only with `force`. Returns when the batch has to look
    /// at the remaining ones again.
    pub(super) async fn cancel_executions(
        self: &Arc<Self>,
        command: &Arc<Command>,
        things: &[ThingName],
        summary: &mut Summary,
    ) -> Result<Option<Timestamp>, Error> {
        self.look_at_each(command, things, summary, true).await
    }

    async fn look_at_each(
        self: &Arc<Self>,
        command: &Arc<Command>,
        things: &[ThingName],
        summary: &mut Summary,
        cancel: bool,
    ) -> Result<Option<Timestamp>, Error> {
        let mut recheck_at: Option<Timestamp> = None;
        let is_broadcast = command.definition.target.fleet().is_some_and(|fleet| fleet.broadcast.is_some());
        let was_sent = !is_broadcast || self.driver().was_broadcast(&command.id).await?;
        let retry_at = Batch::recheck_at(self.now());
        for things in things.chunks(Executions::MAX_KEYS) {
            let keys: Vec<Key> = things.iter().map(|thing| command.key_at(thing)).collect();
            let found = self.clients.executions.get_all(&keys).await?;
            for error in &found.unreadable {
                tracing::error!(error = chain(error), "an execution can't be read and is skipped");
            }
            let mut tasks = JoinSet::new();
            for row in found.executions.into_iter().filter(|row| !row.is_terminal()) {
                let row = if was_sent { row } else { row.never_broadcast() };
                summary.monitored += 1;
                let permit = self.throttle.enter().await;
                let (dispatcher, command) = (self.clone(), command.clone());
                tasks.spawn(async move {
                    let _permit = permit;
                    let driver = dispatcher.driver();
                    match cancel {
                        true => driver.cancel_with_command(row, &command.control).await,
                        false => driver.monitor(row).await,
                    }
                });
            }
            while let Some(result) = tasks.join_next().await {
                let next = match result {
                    Ok(Ok(looked)) => {
                        summary.canceled += u64::from(looked.is_canceled);
                        looked.recheck_at
                    }
                    Ok(Err(error)) => {
                        tracing::warn!(error = chain(&error), "an execution could not be processed: it is tried again");
                        Some(retry_at)
                    }
                    Err(error) => {
                        tracing::error!(%error, "the task of an execution panicked: it is tried again");
                        Some(retry_at)
                    }
                };
                recheck_at = recheck_at.into_iter().chain(next).min();
            }
        }
        Ok(recheck_at)
    }
}
