//! The plans and batches of fleet commands, in the table of commands. Each has a revision: a write is applied only to
//! the revision that was read.

use aws_sdk_dynamodb::{
    Client,
    operation::put_item::PutItemError,
    types::{
        KeysAndAttributes,
        ReturnValuesOnConditionCheckFailure::{self, AllOld},
    },
};
use calls::PutOutcome;
use domain::{Batch, BatchNumber, CommandId, Plan};

use crate::{
    error::{Error, FromAnswer},
    item::{Item, batch_from_item, batch_key, batch_to_item, number, plan_from_item, plan_key, plan_to_item},
};

/// BatchGetItem may leave keys unread: they are requested again, this many times in all.
const MAX_BATCH_READS: usize = 4;

/// The plans, batches and lists of names in the table of commands.
#[derive(Clone, Debug)]
pub struct Fleets {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Fleets {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads the plan of a command.
    ///
    /// # Errors
    /// A failed read, or a plan that can't be read.
    pub async fn plan(&self, command: &CommandId) -> Result<Option<Plan>, Error> {
        const OPERATION: &str = "reading a plan";
        let item = self.get(OPERATION, command, plan_key(command)).await?;
        item.map(|item| plan_from_item(&item)).transpose().map_err(|error| Error::unreadable(OPERATION, command, error))
    }

    /// Stores the first revision of a plan, unless the command has a plan.
    ///
    /// # Errors
    /// A failed write, or an existing plan that can't be read.
    pub async fn put_plan(&self, plan: &Plan) -> Result<PutOutcome<Plan>, Error> {
        const OPERATION: &str = "storing a plan";
        match self.put_absent(OPERATION, &plan.command, plan_to_item(plan)).await? {
            None => Ok(PutOutcome::Stored),
            Some(item) => match plan_from_item(&item) {
                Ok(plan) => Ok(PutOutcome::Exists(Box::new(plan))),
                Err(error) => Err(Error::unreadable(OPERATION, &plan.command, error)),
            },
        }
    }

    /// Writes the next revision of a plan. Returns false, and writes nothing, if another writer has written it already.
    ///
    /// # Errors
    /// A failed write.
    pub async fn write_plan(&self, plan: &Plan) -> Result<bool, Error> {
        self.put_next("writing a plan", &plan.command, plan_to_item(plan), plan.revision).await
    }

    /// Reads a batch.
    ///
    /// # Errors
    /// A failed read, or a batch that can't be read.
    pub async fn batch(&self, command: &CommandId, batch: BatchNumber) -> Result<Option<Batch>, Error> {
        const OPERATION: &str = "reading a batch";
        let item = self.get(OPERATION, command, batch_key(command, batch)).await?;
        item.map(|item| batch_from_item(&item))
            .transpose()
            .map_err(|error| Error::unreadable(OPERATION, command, error))
    }

    /// Stores the first revision of a batch. A batch that exists already stays.
    ///
    /// # Errors
    /// A failed write.
    pub async fn put_batch(&self, batch: &Batch) -> Result<(), Error> {
        self.put_absent("storing a batch", &batch.command, batch_to_item(batch)).await.map(|_| ())
    }

    /// Writes the next revision of a batch. Returns false, and writes nothing, if another writer has written it
    /// already.
    ///
    /// # Errors
    /// A failed write.
    pub async fn write_batch(&self, batch: &Batch) -> Result<bool, Error> {
        self.put_next("writing a batch", &batch.command, batch_to_item(batch), batch.revision).await
    }

    /// Reads an item, with every write that was answered before.
    pub(crate) async fn get(
        &self,
        operation: &'static str,
        command: &CommandId,
        key: Item,
    ) -> Result<Option<Item>, Error> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let answer = request.send().await.map_err(|error| Error::sdk(operation, command, error))?;
        Ok(answer.item)
    }

    /// Reads items, with every write that was answered before, in any order.
    pub(crate) async fn get_all(
        &self,
        operation: &'static str,
        command: &CommandId,
        keys: Vec<Item>,
    ) -> Result<Vec<Item>, Error> {
        let (mut items, mut left) = (Vec::new(), keys);
        for _ in 0..MAX_BATCH_READS {
            if left.is_empty() {
                return Ok(items);
            }
            let failed = |error| Error::sdk(operation, command, error);
            let request = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let request = request.map_err(|error| failed(error.into()))?;
            let answer =
                self.client.batch_get_item().request_items(&self.table, request).send().await.map_err(failed)?;
            items.extend(answer.responses.and_then(|mut all| all.remove(&self.table)).unwrap_or_default());
            let unread = answer.unprocessed_keys.and_then(|mut all| all.remove(&self.table));
            left = unread.map(|unread| unread.keys).unwrap_or_default();
        }
        if left.is_empty() { Ok(items) } else { Err(Error::unprocessed(operation, left.len())) }
    }

    /// Puts an item if none with its key exists; otherwise returns the one that does.
    pub(crate) async fn put_absent(
        &self,
        operation: &'static str,
        command: &CommandId,
        item: Item,
    ) -> Result<Option<Item>, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        match put.map_err(|error| (error.as_service_error().and_then(existing), error)) {
            Ok(_) => Ok(None),
            Err((Some(item), _)) => Ok(Some(item)),
            Err((None, error)) => Err(Error::sdk(operation, command, error)),
        }
    }

    /// Puts a revision of an item over the one before it.
    async fn put_next(
        &self,
        operation: &'static str,
        command: &CommandId,
        item: Item,
        revision: u64,
    ) -> Result<bool, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("revision = :as_read")
            .expression_attribute_values(":as_read", number(revision.saturating_sub(1)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None)
            .send()
            .await;
        match put {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Error::sdk(operation, command, error)),
            },
        }
    }
}

/// The item because of which a put was not applied.
fn existing(error: &PutItemError) -> Option<Item> {
    match error {
        PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
        _ => None,
    }
}
