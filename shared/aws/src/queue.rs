//! A queue that hands its messages back later.

use aws_sdk_sqs::{
    Client, error::SdkError, operation::send_message_batch::SendMessageBatchError, types::SendMessageBatchRequestEntry,
};

use crate::Error;

/// The queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message, and in how many seconds the queue hands it out: up to 900.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delayed {
    /// Seconds from when it is sent.
    pub seconds: u16,
    /// What it says.
    pub body: String,
}

const SENDING: &str = "sending delayed messages";

impl Queue {
    /// As many as one request takes.
    const BATCH: usize = 10;

    pub(crate) fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends all of them, as far as it goes: what one request or one message comes to does not stop the others. Fails
    /// if any of them failed.
    pub async fn send(&self, messages: &[Delayed]) -> Result<(), Error> {
        let mut result = Ok(());
        for batch in messages.chunks(Self::BATCH) {
            result = result.and(self.send_batch(batch).await);
        }
        result
    }

    async fn send_batch(&self, messages: &[Delayed]) -> Result<(), Error> {
        let entries = messages.iter().enumerate().map(|(n, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .delay_seconds(message.seconds.into())
                .message_body(&message.body)
                .build()
        });
        let failed = |error: SdkError<SendMessageBatchError, _>| Error::sdk(SENDING, &self.url, error);
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.into()))?;
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = request.send().await.map_err(failed)?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => {
                Err(Error::in_batch(SENDING, &self.url, failed.code(), failed.sender_fault(), failed.message()))
            }
        }
    }
}
