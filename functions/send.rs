//! Sends a request by its way, and writes what is known of it: first that it is about to happen, so that nobody else does it
//! too, then how it went. A message that could not be sent is no error of the command's.

use std::hash::{BuildHasher, Hasher, RandomState};

use aws::{Acknowledgement, Error, Updated};
use domain::{
    Change, Command, Delivery, DeliveryStatus, Execution, Fact, Request, ShadowError, ShadowName, ShadowRoute, Via,
};

use crate::{
    failure::chain,
    lane::Place,
    turn::{Turn, Wrote},
};

/// Others may write to a row that is to be claimed, a few times.
const TRIES: usize = 4;

/// A claim, or a row, that took longer to write, in whole seconds, is not sent: a sending takes up to eight, and after ten someone
/// else sends it.
const PATIENCE: u32 = 1;

/// A row whose request was sent, or was to be.
#[derive(Debug)]
pub struct Sent {
    /// The row after it.
    pub row: Execution,
    /// Why its shadow does not take it, if that is how it went: the same again would not help.
    pub refused: Option<Unfit>,
}

/// Why a request can't be sent, now or ever.
#[derive(Debug)]
pub enum Unfit {
    /// It can't be written.
    Unwritable(serde_json::Error),
    /// It can't be put into a shadow.
    NotForShadows(ShadowError),
    /// There is no room in the shadow.
    Full,
    /// The shadow service said no, though it might have been asked well.
    Refused(Error),
}

/// How a sending went.
enum Went {
    /// The device has it.
    Delivered,
    /// The device is not there.
    NotConnected,
    /// It went out, and nobody knows whether it has arrived.
    Out,
    /// It did not go out, or nobody knows.
    Failed(Error),
    /// It never will.
    Unfit(Unfit),
}

impl Sent {
    fn new(row: Execution) -> Self {
        Self { row, refused: None }
    }
}

impl Turn<'_> {
    /// Claims a row and sends its request; none if someone else has claimed it, or it is not to be sent.
    pub async fn claim_and_send(&self, row: Execution) -> Result<Option<Sent>, Error> {
        let Some(command) = self.cloud.commands.get(&row.command).await? else {
            tracing::error!(execution = %row.key, "its command is gone");
            return Ok(None);
        };
        match self.claim(row).await? {
            Some(row) => self.send(row, &command).await.map(Some),
            None => Ok(None),
        }
    }

    /// Claims a row; none if someone else has.
    pub async fn claim(&self, mut row: Execution) -> Result<Option<Execution>, Error> {
        // Not the event's id alone: the same event may be handled twice at once, and each would take the other's claim for its own.
        let token = format!("{}/{:x}", self.token, RandomState::new().build_hasher().finish());
        let key = row.key.clone();
        for _ in 0..TRIES {
            let now = self.time();
            let Some(claim) = row.claim(now, &token) else { return Ok(None) };
            let claimed = match self.write(row, &claim).await? {
                Wrote::New(row) => Some(row),
                // It was written, and only the answer was lost.
                Wrote::Old(row) if row.is_claimed_by(&claim) => Some(row),
                // It is only looked at later than was seen.
                Wrote::Old(other) if other.is_as_far_as(&claim) => {
                    row = other;
                    continue;
                }
                Wrote::Old(_) | Wrote::Gone => None,
            };
            // Where too little time is left for the sending until someone else sends it, he does.
            return Ok(claimed.filter(|_| self.time() <= now.plus_seconds(PATIENCE)));
        }
        Err(Error::busy("claiming an execution", key))
    }

    /// Sends the request of a row that is this turn's to send.
    pub async fn send(&self, row: Execution, command: &Command) -> Result<Sent, Error> {
        match self.send_once(&row, command).await {
            Went::NotConnected => self.not_connected(row, command).await,
            went => self.sent(row, went).await,
        }
    }

    /// Sends the request of a row that this turn has stored. Where that took too long, it goes out a little later: others may take
    /// it for lost by then.
    pub async fn send_first(&self, row: Execution, command: &Command) -> Result<Sent, Error> {
        // Nobody else sends what only its batch is due for: whoever has claimed the batch has it for longer than a sending takes.
        let by_batch = row.batch.is_some() && row.due_at.is_none();
        if by_batch || self.since.seconds() <= PATIENCE {
            return self.send(row, command).await;
        }
        let later = row.unsent(self.time(), self.by.clone(), true);
        Ok(Sent::new(self.write_if_any(row, Some(later)).await?))
    }

    /// Writes how it went.
    async fn sent(&self, row: Execution, went: Went) -> Result<Sent, Error> {
        let (now, by) = (self.time(), self.by.clone());
        let (change, refused) = match went {
            Went::Delivered => (Some(row.delivered(now, by)), None),
            Went::NotConnected => (self.queued(&row), None),
            Went::Out if row.delivery_status == DeliveryStatus::Sent => (None, None),
            Went::Out => (Some(row.sent(now, by)), None),
            Went::Failed(error) => {
                let refused = error.is_refusal();
                tracing::warn!(error = chain(&error), refused, execution = %row.key, "a request could not be sent");
                (Some(row.unsent(now, by, refused)), None)
            }
            Went::Unfit(unfit) => (Some(row.unsent(now, by, true)), Some(unfit)),
        };
        let out = change
            .as_ref()
            .is_some_and(|change| matches!(change.fact, Fact::Sent | Fact::Unsent { refused: false, .. }));
        let row = self.write_if_any(row, change).await?;
        // It has ended meanwhile, and what is in its shadow now was put there after it had been withdrawn.
        if out && row.is_terminal() && row.via.shadow().is_some() {
            self.withdraw(&row).await?;
        }
        Ok(Sent { row, refused })
    }

    async fn write_if_any(&self, row: Execution, change: Option<Change>) -> Result<Execution, Error> {
        let Some(change) = change else { return Ok(row) };
        let known = row.clone();
        Ok(match self.write(row, &change).await? {
            // The device may have been faster.
            Wrote::New(row) | Wrote::Old(row) => row,
            Wrote::Gone => known,
        })
    }

    async fn send_once(&self, row: &Execution, command: &Command) -> Went {
        let messages = &self.cloud.messages;
        let request = || Request::new(command, row, self.time());
        match &row.via {
            Via::Direct => match request() {
                Ok(request) => match messages.send_direct(&row.key.thing, &request).await {
                    Ok(Acknowledgement::Delivered) => Went::Delivered,
                    Ok(Acknowledgement::NotConnected) => Went::NotConnected,
                    Ok(Acknowledgement::Missing) => Went::Out,
                    Err(error) => Went::Failed(error),
                },
                Err(error) => Went::Unfit(Unfit::Unwritable(error)),
            },
            // One message has gone to the whole fleet; what goes out later goes to one alone.
            Via::Topic | Via::Broadcast => match request() {
                Ok(request) => messages.publish_request(&request).await.map_or_else(Went::Failed, |()| Went::Out),
                Err(error) => Went::Unfit(Unfit::Unwritable(error)),
            },
            Via::Shadow(route) => self.put_in_shadow(route, row, command).await,
        }
    }

    async fn put_in_shadow(&self, route: &ShadowRoute, row: &Execution, command: &Command) -> Went {
        let update = match route.delivery(command, row, self.time()) {
            Ok(update) => update,
            Err(error) => return Went::Unfit(Unfit::NotForShadows(error)),
        };
        match self.cloud.shadows.update(&update).await {
            Ok(Updated::Done) => Went::Out,
            Ok(Updated::TooLarge) => Went::Unfit(Unfit::Full),
            // It was made for any version.
            Ok(Updated::Conflict) => Went::Out,
            Err(error) if error.kind() == aws::Kind::Refused => Went::Unfit(Unfit::Refused(error)),
            Err(error) => Went::Failed(error),
        }
    }

    fn queued(&self, row: &Execution) -> Option<Change> {
        // It is queued already, from an earlier try: nothing has changed.
        (row.delivery_status != DeliveryStatus::Queued).then(|| row.queued(self.time(), self.by.clone()))
    }

    /// The device is not there. Its shadow takes the request, where it takes commands and the caller does not care how; else
    /// it waits here until the device is back. Whoever sees it come back looks for what waits: so if it came back before that
    /// was written, it is this turn that has to see it.
    async fn not_connected(&self, row: Execution, command: &Command) -> Result<Sent, Error> {
        let change = self.queued(&row);
        let row = self.write_if_any(row, change).await?;
        if row.delivery_status != DeliveryStatus::Queued || row.is_terminal() {
            return Ok(Sent::new(row));
        }
        if command.definition.delivery == Delivery::Auto
            && let Some(route) = self.declared(&row).await
            && let Some(reroute) = self.reroute(&row, command, &route)
        {
            return self.through_shadow(row, command, &reroute).await;
        }
        match self.cloud.messages.is_connected(&row.key.thing).await {
            Ok(true) => {}
            Ok(false) => return Ok(Sent::new(row)),
            Err(error) => {
                tracing::warn!(error = chain(&error), execution = %row.key, "nobody knows whether its device is back");
                return Ok(Sent::new(row));
            }
        }
        let known = row.clone();
        let Some(row) = self.claim(row).await? else { return Ok(Sent::new(known)) };
        let went = self.send_once(&row, command).await;
        self.sent(row, went).await
    }

    /// Where the thing takes commands in a shadow, if it says that it does.
    async fn declared(&self, row: &Execution) -> Option<ShadowRoute> {
        match self.cloud.shadows.get(&row.key.thing, Some(&ShadowName::commands())).await {
            Ok(document) => document.as_deref().map(ShadowRoute::declared),
            Err(error) => {
                tracing::warn!(error = chain(&error), execution = %row.key, "nobody knows whether its thing uses a shadow");
                None
            }
        }
    }

    /// That it goes through this shadow from now on, if it fits it.
    fn reroute(&self, row: &Execution, command: &Command, route: &ShadowRoute) -> Option<Change> {
        let fits = route.delivery(command, row, self.time()).is_ok();
        row.reroute(route, self.time(), self.cloud.tick, self.by.clone()).filter(|_| fits)
    }

    async fn through_shadow(&self, row: Execution, command: &Command, reroute: &Change) -> Result<Sent, Error> {
        let row = match self.write(row, reroute).await? {
            Wrote::New(row) => row,
            Wrote::Old(row) => return Ok(Sent::new(row)),
            Wrote::Gone => return Err(Error::gone(&reroute.key)),
        };
        if row.in_lane && !matches!(self.enter_lane(&row, command).await?, Place::First) {
            return Ok(Sent::new(row));
        }
        let known = row.clone();
        let Some(row) = self.claim(row).await? else { return Ok(Sent::new(known)) };
        let went = self.send_once(&row, command).await;
        self.sent(row, went).await
    }
}
