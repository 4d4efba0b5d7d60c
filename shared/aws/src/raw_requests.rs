//! The executions of a thing whose raw requests have the same bytes, in the table of executions: `T#<thing>`,
//! `RAW#<digest>`. A device that echoes such a request names its execution by nothing else.

use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError};
use domain::{Execution, RawRequests, RequestDigest, ThingName, Timestamp};

use crate::error::{Error, FromAnswer};
use crate::item::{raw_requests_from_item, raw_requests_key, raw_requests_to_item, raw_requests_value};

/// The raw requests in the table of executions.
#[derive(Clone, Debug)]
pub struct RawRequestsTable {
    client: Client,
    table: String,
}

impl RawRequestsTable {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads the executions of a thing whose raw request has this digest; none if there are no such.
    ///
    /// # Errors
    /// A failed read, or an item that can't be read.
    pub async fn read(&self, thing: &ThingName, digest: &RequestDigest) -> Result<RawRequests, Error> {
        const OPERATION: &str = "reading the executions of a raw request";
        let request = self.client.get_item().table_name(&self.table).set_key(Some(raw_requests_key(thing, digest)));
        // A device may answer within milliseconds of the note.
        let request = request.consistent_read(true);
        let answer = request.send().await.map_err(|error| Error::sdk(OPERATION, thing, error))?;
        answer
            .item
            .map_or_else(|| Ok(RawRequests::default()), |item| raw_requests_from_item(&item))
            .map_err(|error| Error::unreadable(OPERATION, thing, error))
    }

    /// Notes that the raw request of an execution has this digest, and forgets those that have ended at `now`. Returns false, and writes nothing, if another writer
    /// has been faster. Noting it twice changes nothing.
    ///
    /// # Errors
    /// As [`Self::read`], or a failed write.
    pub async fn note(&self, execution: &Execution, digest: &RequestDigest, now: Timestamp) -> Result<bool, Error> {
        let thing = &execution.key.thing;
        let read = self.read(thing, digest).await?;
        let Some(requests) = read.with(execution, now) else { return Ok(true) };
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(raw_requests_to_item(thing, digest, &requests, execution.purge_at)))
            .condition_expression("attribute_not_exists(executions) OR executions = :read")
            .expression_attribute_values(":read", raw_requests_value(&read))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Error::sdk("noting the execution of a raw request", &execution.key, error)),
            },
        }
    }
}
