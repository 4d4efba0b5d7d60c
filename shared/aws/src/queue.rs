//! An SQS queue with delayed messages.

use aws_sdk_sqs::{
    Client, error::SdkError, operation::send_message_batch::SendMessageBatchError, types::SendMessageBatchRequestEntry,
};

use crate::error::{Error, FromAnswer};

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message that the queue delivers after a delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delayed {
    /// The delay in seconds, from 0 to 900.
    pub seconds: u16,
    /// The body of the message.
    pub body: String,
}

impl Delayed {
    /// The longest delay, in seconds: the limit of SQS.
    pub const MAX_SECONDS: u16 = 900;
}

const OPERATION: &str = "sending delayed messages";

impl Queue {
    /// The most messages in one request: the limit of SendMessageBatch.
    pub const MAX_MESSAGES: usize = 10;

    pub(crate) fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends messages. One that fails does not stop the others.
    ///
    /// # Errors
    /// The first failure of a request or of a message.
    pub async fn send(&self, messages: &[Delayed]) -> Result<(), Error> {
        let mut result = Ok(());
        for batch in messages.chunks(Self::MAX_MESSAGES) {
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
        let failed = |error: SdkError<SendMessageBatchError, _>| Error::sdk(OPERATION, &self.url, error);
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.into()))?;
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = request.send().await.map_err(failed)?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => {
                Err(Error::in_batch(OPERATION, &self.url, failed.code(), failed.sender_fault(), failed.message()))
            }
        }
    }
}
