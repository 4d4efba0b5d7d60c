//! Transmits a request once on its channel: as a direct message, on a topic, or in a shadow.

use calls::{Acknowledgement, Calls, Error, Kind, ShadowWriteOutcome};
use domain::{Channel, Command, Execution, Request, ShadowError, ShadowRoute};

use crate::driver::Driver;

/// The result of a transmission.
#[derive(Debug)]
pub enum Transmission {
    /// The device acknowledged the request.
    Delivered,
    /// The device is not connected, and does not have the request.
    NotConnected,
    /// The request was sent; whether the device has it is not known.
    Sent,
    /// The request was not sent, or may not have been.
    Failed(Error),
    /// The request can't be sent: a retry would not help.
    Unsendable(Unsendable),
}

/// Why a request can't be sent on its channel.
#[derive(Debug)]
pub enum Unsendable {
    /// The request can't be serialized.
    Unwritable(serde_json::Error),
    /// The shadow's dialect can't express the request.
    NotForShadows(ShadowError),
    /// The shadow has no room for the request.
    Full,
    /// The shadow service refused the update.
    Refused(Error),
}

impl<C: Calls> Driver<'_, C> {
    /// Transmits the request of a row.
    pub(crate) async fn transmit(&self, row: &Execution, command: &Command) -> Transmission {
        let request = || Request::new(command, row, self.now());
        match &row.channel {
            Channel::Direct => match request() {
                Ok(request) => match self.calls.send_direct(&row.key.thing, &request).await {
                    Ok(Acknowledgement::Delivered) => Transmission::Delivered,
                    Ok(Acknowledgement::NotConnected) => Transmission::NotConnected,
                    Ok(Acknowledgement::Missing) => Transmission::Sent,
                    Err(error) => Transmission::Failed(error),
                },
                Err(error) => Transmission::Unsendable(Unsendable::Unwritable(error)),
            },
            // A retry of a broadcast is addressed to one thing.
            Channel::Topic | Channel::Broadcast => match request() {
                Ok(request) => match self.calls.publish_request(&request).await {
                    Ok(()) => Transmission::Sent,
                    Err(error) => Transmission::Failed(error),
                },
                Err(error) => Transmission::Unsendable(Unsendable::Unwritable(error)),
            },
            Channel::Shadow(route) => self.write_to_shadow(route, row, command).await,
        }
    }

    async fn write_to_shadow(&self, route: &ShadowRoute, row: &Execution, command: &Command) -> Transmission {
        let update = match route.delivery_update(command, row, self.now()) {
            Ok(update) => update,
            Err(error) => return Transmission::Unsendable(Unsendable::NotForShadows(error)),
        };
        match self.calls.update_shadow(&update).await {
            Ok(ShadowWriteOutcome::Applied) => Transmission::Sent,
            Ok(ShadowWriteOutcome::TooLarge) => Transmission::Unsendable(Unsendable::Full),
            // The update names no version, so AWS does not answer this.
            Ok(ShadowWriteOutcome::Conflict) => Transmission::Sent,
            Err(error) if error.kind() == Kind::Refused => Transmission::Unsendable(Unsendable::Refused(error)),
            Err(error) => Transmission::Failed(error),
        }
    }
}
