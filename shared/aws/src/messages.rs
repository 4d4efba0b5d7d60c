//! The messages to devices, and whether a device is connected and subscribed.

use std::time::Duration;

use aws_sdk_iotdataplane::{
    Client,
    operation::{
        get_connection::GetConnectionError, list_subscriptions::ListSubscriptionsError,
        send_direct_message::SendDirectMessageError,
    },
    primitives::Blob,
};
use calls::Acknowledgement;
use data_encoding::BASE64;
use domain::{BroadcastRequest, Request, ThingName, Timestamp, Topic};

use crate::error::{Error, FromAnswer};

/// The message broker, as far as functions use it.
#[derive(Clone, Debug)]
pub struct Messages {
    client: Client,
}

/// Whether a device is connected, and since when: the answer of GetConnection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceConnection {
    /// Whether it is connected.
    pub connected: bool,
    /// Since when it is, or is not.
    pub since: Option<Timestamp>,
    /// Why its last connection ended, such as `CONNECTION_LOST`.
    pub disconnect_reason: Option<String>,
}

/// MQTT's quality of service "at least once".
const QOS_AT_LEAST_ONCE: i32 = 1;

impl Messages {
    /// The time that a device has for its acknowledgement, in seconds. AWS IoT allows 1 to 15.
    const ACKNOWLEDGEMENT_SECONDS: i32 = 4;
    /// The longest time of a call: that of a direct message includes the wait for the acknowledgement. Ten seconds after
    /// its claim another function may send the request, so a claim may take almost four seconds to be written.
    pub(crate) const MAX_SEND_TIME: Duration = Duration::from_secs(6);

    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends a request to the device whose client id is the thing's name, and waits for the acknowledgement.
    ///
    /// # Errors
    /// A failed call. Unless [`Error::is_refusal`], the device may have the message.
    pub async fn send_direct(&self, thing: &ThingName, request: &Request) -> Result<Acknowledgement, Error> {
        let sent = self
            .client
            .send_direct_message()
            .client_id(thing.as_str())
            .topic(request.topic.as_str())
            .response_topic(request.response_topic.as_str())
            .correlation_data(BASE64.encode(request.correlation_data.as_bytes()))
            .content_type(&request.content_type)
            .confirmation(true)
            .timeout(Self::ACKNOWLEDGEMENT_SECONDS)
            .payload(Blob::new(request.body.clone()))
            .send()
            .await;
        let error = match sent {
            Ok(_) => return Ok(Acknowledgement::Delivered),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(SendDirectMessageError::ResourceNotFoundException(_)) => Ok(Acknowledgement::NotConnected),
            Some(SendDirectMessageError::GatewayTimeoutException(_)) => Ok(Acknowledgement::Missing),
            _ => Err(Error::sdk("sending a direct message", thing, error)),
        }
    }

    /// Publishes a request on its topic. The broker keeps it for a device with a persistent session until it expires.
    ///
    /// # Errors
    /// A failed call. Unless [`Error::is_refusal`], the message may be published.
    pub async fn publish_request(&self, request: &Request) -> Result<(), Error> {
        self.client
            .publish()
            .topic(request.topic.as_str())
            .qos(QOS_AT_LEAST_ONCE)
            .response_topic(request.response_topic.as_str())
            .correlation_data(BASE64.encode(request.correlation_data.as_bytes()))
            .content_type(&request.content_type)
            .message_expiry(request.expiry_seconds.into())
            .payload(Blob::new(request.body.clone()))
            .send()
            .await
            .map_err(|error| Error::sdk("publishing a request", &request.topic, error))?;
        Ok(())
    }

    /// Publishes the request of a broadcast on its topic, for all devices that subscribe to it.
    ///
    /// # Errors
    /// A failed call. Unless [`Error::is_refusal`], the message may be published.
    pub async fn broadcast(&self, request: &BroadcastRequest) -> Result<(), Error> {
        self.client
            .publish()
            .topic(request.topic.as_str())
            .qos(QOS_AT_LEAST_ONCE)
            .correlation_data(BASE64.encode(request.correlation_data.as_bytes()))
            .content_type(Request::CONTENT_TYPE)
            .message_expiry(request.expiry_seconds.into())
            .payload(Blob::new(request.body.clone()))
            .send()
            .await
            .map_err(|error| Error::sdk("publishing a broadcast", &request.topic, error))?;
        Ok(())
    }

    /// Publishes a message that is not a request: a cancel notice, the progress of a command, a trimmed shadow.
    ///
    /// # Errors
    /// A failed call. Unless [`Error::is_refusal`], the message may be published.
    pub async fn publish(&self, topic: &Topic, body: String) -> Result<(), Error> {
        self.client
            .publish()
            .topic(topic.as_str())
            .qos(QOS_AT_LEAST_ONCE)
            .payload(Blob::new(body))
            .send()
            .await
            .map_err(|error| Error::sdk("publishing a message", topic, error))?;
        Ok(())
    }

    /// Since when the device whose client id is the thing's name is connected; none if it is not.
    ///
    /// # Errors
    /// A failed call.
    pub async fn connected_since(&self, thing: &ThingName) -> Result<Option<Timestamp>, Error> {
        let connection = self.connection(thing).await?;
        Ok(connection.filter(|connection| connection.connected).and_then(|connection| connection.since))
    }

    /// The connection of the device whose client id is the thing's name; none if AWS IoT knows of none.
    ///
    /// # Errors
    /// A failed call.
    pub async fn connection(&self, thing: &ThingName) -> Result<Option<DeviceConnection>, Error> {
        match self.client.get_connection().client_id(thing.as_str()).send().await {
            Ok(answer) => {
                let since = if answer.connected { answer.connected_since } else { answer.disconnected_since };
                Ok(Some(DeviceConnection {
                    connected: answer.connected,
                    since: (since > 0).then(|| Timestamp::from_millis(since)),
                    disconnect_reason: answer.disconnect_reason.filter(|_| !answer.connected),
                }))
            }
            Err(error) => match error.as_service_error() {
                Some(GetConnectionError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(Error::sdk("reading the connection of a device", thing, error)),
            },
        }
    }

    /// The topic filters that the device subscribes to whose client id is the thing's name; none without a session.
    ///
    /// # Errors
    /// A failed call.
    pub async fn subscriptions(&self, thing: &ThingName) -> Result<Vec<String>, Error> {
        let mut filters = Vec::new();
        let mut subscriptions =
            self.client.list_subscriptions().client_id(thing.as_str()).into_paginator().items().send();
        while let Some(subscription) = subscriptions.next().await {
            match subscription {
                Ok(subscription) => filters.push(subscription.topic_filter),
                Err(error) => match error.as_service_error() {
                    Some(ListSubscriptionsError::ResourceNotFoundException(_)) => return Ok(Vec::new()),
                    _ => return Err(Error::sdk("listing the subscriptions of a device", thing, error)),
                },
            }
        }
        Ok(filters)
    }
}
