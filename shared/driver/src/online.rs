//! A device comes online: the executions that wait for it are sent, the oldest first; and those again that were sent and
//! not acknowledged.
//!
//! Lifecycle events may come twice, late and in any order: an event is only a reason to read which executions wait.
//! Two events that are handled at the same time, as those of a connection and its subscription may be, share the
//! executions between them, and the device may receive a later one first. Only a lane keeps the order of commands.

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
    /// Sends the executions that wait for a device. `is_subscription`: the device has just subscribed, and so receives
    /// requests.
    ///
    /// # Errors
    /// A failed read. A failed sending is counted.
    pub async fn send_waiting(&self, thing: &ThingName, is_subscription: bool) -> Result<WaitingSent, Error> {
        let waiting = self.calls.waiting(thing, self.event_time(), is_subscription).await?;
        let mut done = WaitingSent { unreadable: waiting.unreadable, ..WaitingSent::default() };
        if waiting.executions.is_empty() {
            return Ok(done);
        }
        // A device that resumes its session does not subscribe again. Any other device receives requests only after it
        // has subscribed, which is an event of its own.
        if !is_subscription && !self.calls.is_subscribed(thing).await? {
            return Ok(done);
        }
        for row in waiting.executions {
            match self.act_online(row, is_subscription).await {
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
    /// Does what an execution needs because its device came online. Returns whether its request was sent.
    async fn act_online(&self, row: Execution, subscribed: bool) -> Result<bool, Error> {
        let online_since = self.event_time();
        match row.online_action(online_since, subscribed) {
            OnlineAction::Nothing => Ok(false),
            OnlineAction::Send => Ok(self.claim_and_send(row).await?.is_some()),
            OnlineAction::SendAgain => Ok(self.claim_and_send_again(row, online_since).await?.is_some()),
            OnlineAction::SendAgainLater => {
                self.send_again_later(row).await?;
                Ok(false)
            }
        }
    }
}
