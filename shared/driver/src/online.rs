//! A device comes online: the executions that wait for it are sent, the oldest first; and those again that were sent and
//! not acknowledged.
//!
//! Lifecycle events may come twice, late and in any order: an event is only a reason to read which executions wait.
//! Two events that are handled at the same time, as those of a connection and its subscription may be, share the
//! executions between them, and the device may receive a later one first. Only a lane keeps the order of commands.

use std::borrow::Cow;

use calls::{Calls, Error, chain};
use domain::{Execution, OnlineAction, ThingName};

use crate::driver::Driver;

/// What was done for a device that came online.
#[derive(Debug, Default)]
pub struct WaitingSent {
    /// The executions that were sent.
    pub sent: u64,
    /// Those that could not be sent. They stay waiting.
    pub failed: u64,
    /// An error for each row that can't be read.
    pub unreadable: Vec<Error>,
}

impl<C: Calls> Driver<'_, C> {
    /// Sends the executions that wait for a device. `subscribed`: the topic filters that the device has just subscribed
    /// to; none where it has only connected.
    ///
    /// # Errors
    /// A failed read. A failed sending is counted.
    pub async fn send_waiting(&self, thing: &ThingName, subscribed: Option<&[String]>) -> Result<WaitingSent, Error> {
        let waiting = self.calls.waiting(thing, self.event_time(), subscribed.is_some()).await?;
        let mut done = WaitingSent { unreadable: waiting.unreadable, ..WaitingSent::default() };
        if waiting.executions.is_empty() {
            return Ok(done);
        }
        // A device that resumes its session does not subscribe again. Any other device receives requests only after it
        // has subscribed, which is an event of its own.
        let filters = match subscribed {
            Some(filters) => Cow::Borrowed(filters),
            None => Cow::Owned(self.calls.subscriptions(thing).await?),
        };
        if filters.is_empty() {
            return Ok(done);
        }
        for row in waiting.executions {
            match self.act_online(row, &filters, subscribed.is_some()).await {
                Ok(true) => done.sent += 1,
                Ok(false) => {}
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, %thing, "a waiting execution could not be sent: it is retried");
                    done.failed += 1;
                }
            }
        }
        Ok(done)
    }

    /// Does what an execution needs because its device came online, and subscribes to these topic filters. Returns
    /// whether its request was sent.
    async fn act_online(&self, row: Execution, filters: &[String], subscribed: bool) -> Result<bool, Error> {
        let online_since = self.event_time();
        let action = row.online_action(online_since, subscribed);
        if action == OnlineAction::Nothing {
            return Ok(false);
        }
        let Some(command) = self.command_of(&row).await? else { return Ok(false) };
        let form = &command.definition.form;
        let topic = form.topic_of(&row.key.thing);
        if !filters.iter().any(|filter| topic.matches(filter)) {
            return Ok(false);
        }
        match action {
            OnlineAction::Send => Ok(self.claim_and_send_command(row, &command).await?.is_some()),
            // The device may have it, and would run it again.
            OnlineAction::SendAgain | OnlineAction::SendAgainLater if !form.names_execution() => Ok(false),
            OnlineAction::SendAgain => Ok(self.claim_and_send_again(row, &command, online_since).await?.is_some()),
            OnlineAction::Nothing => Ok(false),
            OnlineAction::SendAgainLater => {
                self.send_again_later(row).await?;
                Ok(false)
            }
        }
    }
}
