//! The executions of a batch that have gone out: those that stay silent are given up, and all are called off with their command.

use std::sync::Arc;

use aws::{Error, Executions};
use domain::{CancelNotice, Command, ControlState, Execution, Key, Owed, ThingName, Timestamp};
use tokio::task::JoinSet;

use super::batch::{Dispatcher, Summary};
use crate::{failure::chain, turn::Wrote, unsent};

/// Those that could not be seen to are looked at again after so many seconds.
const AGAIN: u32 = 60;

/// Whoever answers may be faster, a few times.
const TRIES: usize = 4;

impl Dispatcher {
    /// Looks at all of them; when they have to be looked at next.
    pub(super) async fn watch(
        self: &Arc<Self>,
        command: &Arc<Command>,
        things: &[ThingName],
        summary: &mut Summary,
    ) -> Result<Option<Timestamp>, Error> {
        self.each(command, things, summary, None).await
    }

    /// Calls all of them off, those that run only by force; when those that go on have to be looked at next.
    pub(super) async fn call_off(
        self: &Arc<Self>,
        command: &Arc<Command>,
        things: &[ThingName],
        summary: &mut Summary,
    ) -> Result<Option<Timestamp>, Error> {
        self.each(command, things, summary, Some(command.control.state)).await
    }

    async fn each(
        self: &Arc<Self>,
        command: &Command,
        things: &[ThingName],
        summary: &mut Summary,
        called_off: Option<ControlState>,
    ) -> Result<Option<Timestamp>, Error> {
        let mut next: Option<Timestamp> = None;
        let broadcast = command.definition.target.fleet().is_some_and(|fleet| fleet.broadcast.is_some());
        let out = !broadcast || unsent::was_broadcast(&self.cloud, &command.id).await?;
        let again = self.time().plus_seconds(AGAIN);
        for things in things.chunks(Executions::AT_ONCE) {
            let keys: Vec<Key> = things.iter().map(|thing| command.key_at(thing)).collect();
            let found = self.cloud.executions.get_all(&keys).await?;
            for error in &found.unreadable {
                tracing::error!(error = chain(error), "a row was passed over");
            }
            let mut under_way = JoinSet::new();
            for row in found.executions.into_iter().filter(|row| !row.is_terminal()) {
                let row = if out { row } else { row.never_broadcast() };
                summary.watched += 1;
                let permit = self.throttle.enter().await;
                let me = self.clone();
                under_way.spawn(async move {
                    let _permit = permit;
                    match called_off {
                        Some(state) => me.call_off_one(row, state).await,
                        None => me.look_at(row).await.map(|next| (false, next)),
                    }
                });
            }
            while let Some(done) = under_way.join_next().await {
                let look = match done {
                    Ok(Ok((ended, look))) => {
                        summary.called_off += u64::from(ended);
                        look
                    }
                    Ok(Err(error)) => {
                        tracing::warn!(error = chain(&error), "an execution has to wait");
                        Some(again)
                    }
                    Err(error) => {
                        tracing::error!(%error, "an execution was given up in the middle");
                        Some(again)
                    }
                };
                next = next.into_iter().chain(look).min();
            }
        }
        Ok(next)
    }

    /// Does what is owed to a row; when it has to be looked at next, if it does not see to that itself.
    async fn look_at(&self, row: Execution) -> Result<Option<Timestamp>, Error> {
        // It has an entry of its own.
        if row.due_at.is_some() {
            return Ok(None);
        }
        match row.owed(self.time()) {
            Owed::Nothing => Ok((!row.is_terminal()).then(|| row.looked_at_next(self.time()))),
            _ => {
                self.turn().drive(row).await?;
                Ok(None)
            }
        }
    }

    async fn call_off_one(&self, mut row: Execution, state: ControlState) -> Result<(bool, Option<Timestamp>), Error> {
        let ControlState::Canceled { force, reason } = state else { return Ok((false, None)) };
        let turn = self.turn();
        for _ in 0..TRIES {
            let Ok(change) = row.cancel(reason, self.time(), force, self.turn().by) else {
                // It runs, or its time has passed.
                return self.look_at(row).await.map(|next| (false, next));
            };
            row = match turn.write(row, &change).await? {
                Wrote::New(row) => {
                    if let Some(notice) = CancelNotice::of(&row)
                        && let Err(error) = self.cloud.messages.publish(&notice.topic, notice.body).await
                    {
                        // Its answer will be late then.
                        tracing::warn!(error = chain(&error), execution = %row.key, "its device could not be told");
                    }
                    turn.drive(row).await?;
                    return Ok((true, None));
                }
                Wrote::Old(row) => row,
                Wrote::Gone => return Ok((false, None)),
            };
        }
        Err(Error::busy("calling off an execution", &row.key))
    }
}
