//! What is sent to devices.

use std::time::Duration;

use aws_sdk_iotdataplane::{
    Client,
    operation::{
        get_connection::GetConnectionError, list_subscriptions::ListSubscriptionsError,
        send_direct_message::SendDirectMessageError,
    },
    primitives::Blob,
};
use data_encoding::BASE64;
use domain::{BroadcastRequest, Request, ThingName, Topic};

use crate::Error;

/// The way to devices.
#[derive(Clone, Debug)]
pub struct Messages {
    client: Client,
}

/// What is known of a direct message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// The device has it: it acknowledged the message.
    Delivered,
    /// The device is not connected: it has not got it.
    NotConnected,
    /// It went out, and the device did not acknowledge it in time: nobody knows.
    Missing,
}

const AT_LEAST_ONCE: i32 = 1;

impl Messages {
    /// How long a device has for its acknowledgement, in seconds; AWS IoT allows 1 to 15.
    const ACKNOWLEDGEMENT: i32 = 5;
    /// A direct message takes longer than its device may: the call waits for the acknowledgement.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends a request straight to its device, whose client id is the thing's name, and waits for the acknowledgement.
    pub async fn send_direct(&self, thing: &ThingName, request: &Request) -> Result<Acknowledgement, Error> {
        let sent = self
            .client
            .send_direct_message()
            .client_id(thing.as_str())
            .topic(request.topic.as_str())
            .response_topic(request.response_topic.as_str())
            .correlation_data(BASE64.encode(request.correlation.as_bytes()))
            .content_type(Request::CONTENT_TYPE)
            .confirmation(true)
            .timeout(Self::ACKNOWLEDGEMENT)
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

    /// Publishes a request on its topic, where it waits for a device with a persistent session until it expires.
    pub async fn publish_request(&self, request: &Request) -> Result<(), Error> {
        self.client
            .publish()
            .topic(request.topic.as_str())
            .qos(AT_LEAST_ONCE)
            .response_topic(request.response_topic.as_str())
            .correlation_data(BASE64.encode(request.correlation.as_bytes()))
            .content_type(Request::CONTENT_TYPE)
            .message_expiry(request.expiry.into())
            .payload(Blob::new(request.body.clone()))
            .send()
            .await
            .map_err(|error| Error::sdk("publishing a request", &request.topic, error))?;
        Ok(())
    }

    /// Publishes the one message for a fleet, which waits for devices with persistent sessions until it expires.
    pub async fn broadcast(&self, request: &BroadcastRequest) -> Result<(), Error> {
        self.client
            .publish()
            .topic(request.topic.as_str())
            .qos(AT_LEAST_ONCE)
            .correlation_data(BASE64.encode(request.correlation.as_bytes()))
            .content_type(Request::CONTENT_TYPE)
            .message_expiry(request.expiry.into())
            .payload(Blob::new(request.body.clone()))
            .send()
            .await
            .map_err(|error| Error::sdk("publishing to a fleet", &request.topic, error))?;
        Ok(())
    }

    /// Publishes anything else.
    pub async fn publish(&self, topic: &Topic, body: String) -> Result<(), Error> {
        self.client
            .publish()
            .topic(topic.as_str())
            .qos(AT_LEAST_ONCE)
            .payload(Blob::new(body))
            .send()
            .await
            .map_err(|error| Error::sdk("publishing a message", topic, error))?;
        Ok(())
    }

    /// Whether the device whose client id is the thing's name is connected.
    pub async fn is_connected(&self, thing: &ThingName) -> Result<bool, Error> {
        match self.client.get_connection().client_id(thing.as_str()).send().await {
            Ok(answer) => Ok(answer.connected),
            Err(error) => match error.as_service_error() {
                Some(GetConnectionError::ResourceNotFoundException(_)) => Ok(false),
                _ => Err(Error::sdk("asking for a connection", thing, error)),
            },
        }
    }

    /// Whether the device whose client id is the thing's name listens where it is asked to do something.
    pub async fn listens(&self, thing: &ThingName) -> Result<bool, Error> {
        let request = Topic::request(thing);
        let mut subscriptions =
            self.client.list_subscriptions().client_id(thing.as_str()).into_paginator().items().send();
        while let Some(subscription) = subscriptions.next().await {
            match subscription {
                Ok(subscription) if request.matches(&subscription.topic_filter) => {
                    return Ok(true);
                }
                Ok(_) => {}
                Err(error) => match error.as_service_error() {
                    Some(ListSubscriptionsError::ResourceNotFoundException(_)) => return Ok(false),
                    _ => return Err(Error::sdk("listing subscriptions", thing, error)),
                },
            }
        }
        Ok(false)
    }
}
