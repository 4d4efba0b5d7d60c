//! Sends a claimed request, and records the result. A request to a device that is not connected is rerouted through its
//! shadow, or waits.

use calls::{Calls, Error, WriteOutcome, chain};
use domain::{
    Change, Channel, Command, Delivery, DeliveryStatus, Effect, Execution, ShadowName, ShadowRoute, Timestamp,
};

use crate::claim::MAX_CLAIM_SECONDS;
use crate::driver::Driver;
use crate::lane_entry::LanePosition;
use crate::transmit::{Transmission, Unsendable};

/// A row after a sending.
#[derive(Debug)]
pub struct SentExecution {
    /// The row.
    pub row: Execution,
    /// Why the request can't be sent on its channel, if so.
    pub unsendable: Option<Unsendable>,
}

impl From<Execution> for SentExecution {
    fn from(row: Execution) -> Self {
        Self { row, unsendable: None }
    }
}

impl<C: Calls> Driver<'_, C> {
    /// Claims a request and sends it. Returns none if the request must not be sent, or another function has claimed it.
    ///
    /// # Errors
    /// A failed read or write. A failed sending is no error: it is recorded in the row, and retried when it is due.
    pub async fn claim_and_send(&self, row: Execution) -> Result<Option<SentExecution>, Error> {
        let Some(command) = self.command_of(&row).await? else { return Ok(None) };
        self.claim_and_send_command(row, &command).await
    }

    /// The same, with the command as it was read.
    ///
    /// # Errors
    /// As [`Self::claim_and_send`].
    pub(crate) async fn claim_and_send_command(
        &self,
        row: Execution,
        command: &Command,
    ) -> Result<Option<SentExecution>, Error> {
        match self.claim(row).await? {
            Some(row) => self.send(row, command).await.map(Some),
            None => Ok(None),
        }
    }

    /// Claims a request that was sent before its device came online at `online_since`, and is not acknowledged, and
    /// sends it again. Returns none as [`Self::claim_and_send`] does.
    ///
    /// # Errors
    /// As [`Self::claim_and_send`].
    pub(crate) async fn claim_and_send_again(
        &self,
        row: Execution,
        command: &Command,
        online_since: Timestamp,
    ) -> Result<Option<SentExecution>, Error> {
        match self.claim_again(row, online_since).await? {
            Some(row) => self.send(row, command).await.map(Some),
            None => Ok(None),
        }
    }

    /// Writes that a request is sent again later, if it is still not acknowledged ([`Execution::send_again_later`]).
    ///
    /// # Errors
    /// A failed write, or one that was lost as often as the retry policy allows.
    pub async fn send_again_later(&self, row: Execution) -> Result<(), Error> {
        let decide = |row: &Execution| {
            let later = row.send_again_later(self.event_time(), self.actor.clone());
            later.map(Box::new).ok_or(())
        };
        self.decide_and_write("sending a request again later", row, decide).await.map(drop)
    }

    /// The command of a row; none, and an error in the log, if it is missing from the table.
    pub(crate) async fn command_of(&self, row: &Execution) -> Result<Option<Command>, Error> {
        let found = self.calls.read_command(&row.command).await?;
        if found.is_none() {
            let (key, command) = (&row.key, &row.command);
            tracing::error!(execution = %key, %command, "the command of an execution is missing from the table");
        }
        Ok(found)
    }

    /// Sends the request of a row that this function has claimed, or created.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn send(&self, row: Execution, command: &Command) -> Result<SentExecution, Error> {
        match self.transmit(&row, command).await {
            Transmission::NotConnected => self.wait_or_reroute(row, command).await,
            Transmission::Sent if row.channel == Channel::Direct => self.record_unacknowledged(row, command).await,
            transmission => self.record(row, transmission).await,
        }
    }

    /// Sends the request of a row that this function has created, without a claim. If storing the row took too long,
    /// the request is sent later, since another function may send it by now.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn send_created(&self, row: Execution, command: &Command) -> Result<SentExecution, Error> {
        // A row without a due entry of its own is due with its batch, whose claim lasts longer than a sending takes.
        let due_with_batch = row.batch.is_some() && row.due_at.is_none();
        let in_time = row.sent_at.is_none_or(|stored_at| self.now() < stored_at.plus_seconds(MAX_CLAIM_SECONDS));
        if due_with_batch || in_time {
            let sent = self.send(row, command).await?;
            return self.end_doubt(sent).await;
        }
        let later = row.send_failed(self.now(), self.actor.clone(), true);
        Ok(self.write_or_keep(row, &later).await?.into())
    }

    /// A creator that sent a request on a topic or into a shadow writes nothing, since its row says SENT already. So
    /// it looks whether a repeated request has doubted it meanwhile, and then writes that it is alive.
    ///
    /// Only a single command is created by several requests; a batch is claimed.
    async fn end_doubt(&self, sent: SentExecution) -> Result<SentExecution, Error> {
        let SentExecution { row, unsendable } = sent;
        if !row.is_as_created() || row.batch.is_some() {
            return Ok(SentExecution { row, unsendable });
        }
        let row = self.read(&row.key).await?.unwrap_or(row);
        if !row.is_doubted() {
            return Ok(SentExecution { row, unsendable });
        }
        let alive = row.sent(self.now(), self.actor.clone());
        Ok(SentExecution { row: self.write_or_keep(row, &alive).await?, unsendable })
    }

    /// The device did not acknowledge a direct message: its connection may have been broken, and the device be back by
    /// now. The event of its coming online found the request being sent, so the connection is read after the write.
    async fn record_unacknowledged(&self, row: Execution, command: &Command) -> Result<SentExecution, Error> {
        let SentExecution { row, unsendable } = self.record(row, Transmission::Sent).await?;
        // The device may have it, and would run it again.
        if !command.definition.form.names_execution() {
            return Ok(SentExecution { row, unsendable });
        }
        let Some(online_since) = self.connected_since(&row).await.filter(|at| row.should_send_again(*at, self.now()))
        else {
            return Ok(SentExecution { row, unsendable });
        };
        let as_read = row.clone();
        let Some(row) = self.claim_again(row, online_since).await? else { return Ok(as_read.into()) };
        let transmission = self.transmit(&row, command).await;
        self.record(row, transmission).await
    }

    /// Since when the device is connected; none if it is not, or that is not known.
    async fn connected_since(&self, row: &Execution) -> Option<Timestamp> {
        match self.calls.connected_since(&row.key.thing).await {
            Ok(since) => since,
            Err(error) => {
                tracing::warn!(error = chain(&error), execution = %row.key, "the connection of the device is unknown");
                None
            }
        }
    }

    /// Writes the result of a transmission.
    async fn record(&self, row: Execution, transmission: Transmission) -> Result<SentExecution, Error> {
        let (now, actor) = (self.now(), self.actor.clone());
        let (change, unsendable) = match transmission {
            Transmission::Delivered => (Some(row.delivered(now, actor)), None),
            Transmission::NotConnected => (self.queued(&row), None),
            Transmission::Sent if row.delivery_status == DeliveryStatus::Sent => (None, None),
            Transmission::Sent => (Some(row.sent(now, actor)), None),
            Transmission::Failed(error) => {
                let refused = error.is_refusal();
                tracing::warn!(error = chain(&error), refused, execution = %row.key, "a sending failed: it is retried");
                (Some(row.send_failed(now, actor, refused)), None)
            }
            Transmission::Unsendable(reason) => (Some(row.send_failed(now, actor, true)), Some(reason)),
        };
        let Some(change) = change else { return Ok(SentExecution { row, unsendable }) };
        let may_be_in_shadow = matches!(change.effect, Effect::Sent | Effect::SendFailed { refused: false, .. });
        let row = self.write_or_keep(row, &change).await?;
        // The execution has ended since its claim, so the request was written to the shadow after the shadow was
        // cleaned up.
        if may_be_in_shadow && row.is_terminal() && row.channel.shadow().is_some() {
            self.clean_shadow(&row).await?;
        }
        Ok(SentExecution { row, unsendable })
    }

    /// Writes a change. Returns the row as it is now, or as it was if it does not exist any more. After a conflict the
    /// device has answered already, and its report says more.
    async fn write_or_keep(&self, row: Execution, change: &Change) -> Result<Execution, Error> {
        let as_read = row.clone();
        Ok(match self.write(row, change).await? {
            WriteOutcome::Applied(row) | WriteOutcome::Conflict(row) => row,
            WriteOutcome::NotFound => as_read,
        })
    }

    /// The change to QUEUED; none if the row is QUEUED already.
    fn queued(&self, row: &Execution) -> Option<Change> {
        (row.delivery_status != DeliveryStatus::Queued).then(|| row.queued(self.now(), self.actor.clone()))
    }

    /// The device is not connected. The request is rerouted through its shadow, if the delivery is AUTO and the thing
    /// declares one; otherwise it waits until the device comes online.
    ///
    /// A function that handles the device's coming online looks for QUEUED rows. If the device came online before this
    /// row became QUEUED, that function did not see it, so the connection is read after the write.
    async fn wait_or_reroute(&self, row: Execution, command: &Command) -> Result<SentExecution, Error> {
        let row = match self.queued(&row) {
            Some(change) => self.write_or_keep(row, &change).await?,
            None => row,
        };
        if row.delivery_status != DeliveryStatus::Queued || row.is_terminal() {
            return Ok(row.into());
        }
        if command.definition.delivery == Delivery::Auto
            && let Some(route) = self.declared_route(&row).await
            && let Some(reroute) = self.reroute(&row, command, &route)
        {
            // Boxed: few requests are rerouted, and the future of the others stays small.
            return Box::pin(self.send_through_shadow(row, command, &reroute)).await;
        }
        match self.connected_since(&row).await {
            Some(_) => self.claim_and_transmit(row, command).await,
            None => Ok(row.into()),
        }
    }

    /// The shadow route that the thing declares; none if it declares none, or its shadow can't be read.
    async fn declared_route(&self, row: &Execution) -> Option<ShadowRoute> {
        match self.calls.read_shadow(&row.key.thing, Some(&ShadowName::commands())).await {
            Ok(document) => document.as_deref().map(ShadowRoute::declared),
            Err(error) => {
                tracing::warn!(error = chain(&error), execution = %row.key, "the thing's shadow route is unknown");
                None
            }
        }
    }

    /// The change that reroutes the request through a shadow; none if the shadow can't carry it.
    fn reroute(&self, row: &Execution, command: &Command, route: &ShadowRoute) -> Option<Change> {
        let fits = route.delivery_update(command, row, self.now()).is_ok();
        row.reroute(route, self.now(), self.actor.clone()).filter(|_| fits)
    }

    async fn send_through_shadow(
        &self,
        row: Execution,
        command: &Command,
        reroute: &Change,
    ) -> Result<SentExecution, Error> {
        let row = match self.write(row, reroute).await? {
            WriteOutcome::Applied(row) => row,
            WriteOutcome::Conflict(row) => return Ok(row.into()),
            WriteOutcome::NotFound => return Err(Error::missing("the row", format!("execution {}", reroute.key))),
        };
        if row.in_lane && self.enter_lane(&row, command).await? != LanePosition::Head {
            return Ok(row.into());
        }
        self.claim_and_transmit(row, command).await
    }

    /// Claims a request and transmits it once more, after a first transmission that did not reach the device.
    async fn claim_and_transmit(&self, row: Execution, command: &Command) -> Result<SentExecution, Error> {
        let as_read = row.clone();
        let Some(row) = self.claim(row).await? else { return Ok(as_read.into()) };
        let transmission = self.transmit(&row, command).await;
        self.record(row, transmission).await
    }
}
