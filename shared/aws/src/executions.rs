//! The rows of executions, in the table of executions: stored, changed, read by their keys, deleted.

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use calls::{Page, PutOutcome, WriteOutcome};
use domain::{BatchNumber, Change, DueShards, Effect, Execution, Key};

use crate::{
    delete::delete_if,
    error::{Error, FromAnswer},
    item::{Item, duplicate_to_item, execution_from_item, execution_key, execution_to_item, number},
    page::add_items,
    write::update_for,
};

/// The executions in the table of executions.
#[derive(Clone, Debug)]
pub struct Executions {
    pub(crate) client: Client,
    pub(crate) table: String,
    shards: DueShards,
}

/// The most requests for one page of keys. DynamoDB leaves keys out of an answer that would be larger than 16 MB, or
/// while it throttles.
const MAX_BATCH_READS: usize = 4;

impl Executions {
    /// The most executions that [`Self::get_all`] reads at once: the limit of BatchGetItem.
    pub const MAX_KEYS: usize = 100;

    pub(crate) fn new(client: Client, table: String, shards: DueShards) -> Self {
        Self { client, table, shards }
    }

    /// The shards of the due index.
    pub fn shards(&self) -> DueShards {
        self.shards
    }

    /// Stores a new execution, unless one with its key exists.
    ///
    /// # Errors
    /// A failed write, or an existing row that can't be read.
    pub async fn put_new(&self, execution: &Execution) -> Result<PutOutcome<Execution>, Error> {
        const OPERATION: &str = "storing an execution";
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(execution_to_item(execution, self.shards)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match put {
            Ok(_) => return Ok(PutOutcome::Stored),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let existing = failed.item.as_ref().map(|item| read(OPERATION, &execution.key, item)).transpose()?;
                match existing {
                    Some(existing) => Ok(PutOutcome::Exists(Box::new(existing))),
                    None => Err(Error::sdk(OPERATION, &execution.key, error)),
                }
            }
            _ => Err(Error::sdk(OPERATION, &execution.key, error)),
        }
    }

    /// Stores that the thing of `row` is in this batch of the same command too, so that the counts of the command add
    /// up. Storing it twice changes nothing.
    ///
    /// # Errors
    /// A failed write.
    pub async fn put_duplicate(&self, row: &Execution, batch: BatchNumber) -> Result<(), Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(duplicate_to_item(&row.key, &row.command, batch, row.purge_at)))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(Error::sdk("storing a thing of two batches", &row.key, error)),
            },
        }
    }

    /// Deletes an execution whose request was not sent. A row that has made progress since it was read stays.
    ///
    /// # Errors
    /// A failed delete.
    pub async fn delete_unsent(&self, execution: &Execution) -> Result<(), Error> {
        let key = execution_key(&execution.key);
        let as_read = ("progress", number(execution.progress.get()));
        delete_if(&self.client, &self.table, key, as_read)
            .await
            .map_err(|error| Error::sdk("deleting an execution", &execution.key, error))
    }

    /// Writes a change if its condition holds: one conditional write, with no read before it.
    ///
    /// Returns the row after a change that says that the device is active, since another write may follow it; none
    /// after any other.
    ///
    /// # Errors
    /// A failed write, or a returned row that can't be read.
    pub async fn write(&self, change: &Change) -> Result<WriteOutcome<Option<Execution>, Execution>, Error> {
        const OPERATION: &str = "writing an execution";
        let returned =
            if let Effect::DeviceActive { .. } = change.effect { ReturnValue::AllNew } else { ReturnValue::None };
        let (key, update) = (&change.key, update_for(change, self.shards));
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(execution_key(key)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values((!update.values.is_empty()).then_some(update.values))
            .return_values(returned)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match written {
            Ok(written) => {
                let row = written.attributes.as_ref().map(|item| read(OPERATION, key, item)).transpose()?;
                return Ok(WriteOutcome::Applied(row));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                None => Ok(WriteOutcome::NotFound),
                Some(item) => Ok(WriteOutcome::Conflict(read(OPERATION, key, item)?)),
            },
            _ => Err(Error::sdk(OPERATION, key, error)),
        }
    }

    /// Reads an execution, with every write that was answered before.
    ///
    /// # Errors
    /// A failed read, or a row that can't be read.
    pub async fn get(&self, key: &Key) -> Result<Option<Execution>, Error> {
        const OPERATION: &str = "reading an execution";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(execution_key(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::sdk(OPERATION, key, error))?;
        answer.item.map(|item| read(OPERATION, key, &item)).transpose()
    }

    /// Reads the executions with these keys that exist, in no order; at most [`Self::MAX_KEYS`].
    ///
    /// # Errors
    /// A failed read, or keys that DynamoDB left out of every answer.
    pub async fn get_all(&self, keys: &[Key]) -> Result<Page, Error> {
        const OPERATION: &str = "reading executions";
        let mut page = Page::default();
        let mut left: Vec<Item> = keys.iter().map(execution_key).collect();
        for _ in 0..MAX_BATCH_READS {
            if left.is_empty() {
                return Ok(page);
            }
            let failed = |error| Error::sdk(OPERATION, keys.len(), error);
            let request = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let request = request.map_err(|error| failed(error.into()))?;
            let answer =
                self.client.batch_get_item().request_items(&self.table, request).send().await.map_err(failed)?;
            let items = answer.responses.as_ref().and_then(|all| all.get(&self.table));
            add_items(&mut page, OPERATION, items.map_or(&[], Vec::as_slice));
            let unread = answer.unprocessed_keys.and_then(|mut all| all.remove(&self.table));
            left = unread.map(|unread| unread.keys).unwrap_or_default();
        }
        match left.is_empty() {
            true => Ok(page),
            false => Err(Error::unprocessed(OPERATION, left.len())),
        }
    }
}

fn read(operation: &'static str, key: &Key, item: &Item) -> Result<Execution, Error> {
    execution_from_item(item).map_err(|error| Error::unreadable(operation, key, error))
}
