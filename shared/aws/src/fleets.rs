//! What the table of commands holds of fleet commands besides their definitions: plans, batches, and lists of names. Each is written
//! only as it was seen: by its revision, or because it is not there yet.

use aws_sdk_dynamodb::{
    Client,
    operation::put_item::PutItemError,
    types::ReturnValuesOnConditionCheckFailure::{self, AllOld},
};
use domain::{Batch, BatchNumber, CommandId, Plan, Selection, ThingName, Timestamp};

use crate::{
    Error, Put,
    item::{
        Item, batch_from_item, batch_key, batch_of_key, batch_to_item, command_of_key, names_from_item, names_to_text,
        number, page_key, plan_from_item, plan_key, plan_to_item, shown_key, text, things_key,
    },
};

/// Plans, batches and lists.
#[derive(Clone, Debug)]
pub struct Fleets {
    client: Client,
    table: String,
}

/// Names that are stored a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Those that are meant.
    Listed,
    /// Those that are left out.
    Excluded,
}

/// What is due in the table of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueFleet {
    /// A plan.
    Plan(CommandId),
    /// A batch.
    Batch(CommandId, BatchNumber),
}

impl List {
    const fn kind(self) -> &'static str {
        match self {
            Self::Listed => "L",
            Self::Excluded => "X",
        }
    }
}

impl Fleets {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a list of names, a page at a time. The digest of a selection tells its lists from those of any other, so pages that are
    /// there already are these.
    pub async fn put_list(
        &self,
        command: &CommandId,
        digest: &str,
        list: List,
        names: &[ThingName],
        purge_at: Timestamp,
    ) -> Result<(), Error> {
        for (page, names) in (0..).zip(names.chunks(Selection::PAGE)) {
            let mut item = page_key(command, list.kind(), digest, page);
            item.insert("names".to_owned(), names_to_text(names));
            item.insert("purge_at".to_owned(), number(purge_at.as_seconds()));
            self.put_absent("storing a list of names", command, item).await?;
        }
        Ok(())
    }

    /// A page of a list; empty if it is not there.
    pub async fn list(
        &self,
        command: &CommandId,
        digest: &str,
        list: List,
        page: u32,
    ) -> Result<Vec<ThingName>, Error> {
        const OPERATION: &str = "reading a list of names";
        let item = self.get(OPERATION, command, page_key(command, list.kind(), digest, page)).await?;
        let names = item.map(|item| names_from_item(&item)).transpose();
        Ok(names.map_err(|error| Error::corrupt(OPERATION, command, error))?.unwrap_or_default())
    }

    /// The plan of a command.
    pub async fn plan(&self, command: &CommandId) -> Result<Option<Plan>, Error> {
        const OPERATION: &str = "reading a plan";
        let item = self.get(OPERATION, command, plan_key(command)).await?;
        item.map(|item| plan_from_item(&item)).transpose().map_err(|error| Error::corrupt(OPERATION, command, error))
    }

    /// Stores a plan, unless there is one: then that one is the plan.
    pub async fn put_plan(&self, plan: &Plan) -> Result<Put<Plan>, Error> {
        const OPERATION: &str = "storing a plan";
        match self.put_absent(OPERATION, &plan.command, plan_to_item(plan)).await? {
            None => Ok(Put::Stored),
            Some(item) => match plan_from_item(&item) {
                Ok(plan) => Ok(Put::Exists(Box::new(plan))),
                Err(error) => Err(Error::corrupt(OPERATION, &plan.command, error)),
            },
        }
    }

    /// Writes the next state of a plan; false if someone else has written it since it was seen.
    pub async fn write_plan(&self, plan: &Plan) -> Result<bool, Error> {
        self.put_next("writing a plan", &plan.command, plan_to_item(plan), plan.revision).await
    }

    /// The batch with this number.
    pub async fn batch(&self, command: &CommandId, batch: BatchNumber) -> Result<Option<Batch>, Error> {
        const OPERATION: &str = "reading a batch";
        let item = self.get(OPERATION, command, batch_key(command, batch)).await?;
        item.map(|item| batch_from_item(&item)).transpose().map_err(|error| Error::corrupt(OPERATION, command, error))
    }

    /// The things of a batch; none if there is no such batch.
    pub async fn things(&self, command: &CommandId, batch: BatchNumber) -> Result<Option<Vec<ThingName>>, Error> {
        const OPERATION: &str = "reading the things of a batch";
        let item = self.get(OPERATION, command, things_key(command, batch)).await?;
        item.map(|item| names_from_item(&item)).transpose().map_err(|error| Error::corrupt(OPERATION, command, error))
    }

    /// Stores the things of a batch, unless there are some: then those are its things.
    pub async fn put_things(
        &self,
        command: &CommandId,
        batch: BatchNumber,
        things: &[ThingName],
        purge_at: Timestamp,
    ) -> Result<Put<Vec<ThingName>>, Error> {
        const OPERATION: &str = "storing the things of a batch";
        let mut item = things_key(command, batch);
        item.insert("names".to_owned(), names_to_text(things));
        item.insert("purge_at".to_owned(), number(purge_at.as_seconds()));
        match self.put_absent(OPERATION, command, item).await? {
            None => Ok(Put::Stored),
            Some(item) => match names_from_item(&item) {
                Ok(names) => Ok(Put::Exists(Box::new(names))),
                Err(error) => Err(Error::corrupt(OPERATION, command, error)),
            },
        }
    }

    /// Stores a batch, unless it is there.
    pub async fn put_batch(&self, batch: &Batch) -> Result<(), Error> {
        self.put_absent("storing a batch", &batch.command, batch_to_item(batch)).await.map(|_| ())
    }

    /// Writes the next state of a batch; false if someone else has written it since it was seen.
    pub async fn write_batch(&self, batch: &Batch) -> Result<bool, Error> {
        self.put_next("writing a batch", &batch.command, batch_to_item(batch), batch.revision).await
    }

    /// What is due in one shard, the oldest first, at most so many. The index is a hint: it may lag.
    pub async fn due(&self, shard: u8, now: Timestamp, limit: u16) -> Result<Vec<Result<DueFleet, Error>>, Error> {
        const OPERATION: &str = "listing what is due of fleets";
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", text(shard.to_string()))
            .expression_attribute_values(":now", number(now.as_seconds()))
            .limit(limit.into())
            .send()
            .await
            .map_err(|error| Error::sdk(OPERATION, shard, error))?;
        let due = |item: &Item| {
            let found = match item.get("sk").and_then(|sk| sk.as_s().ok()).map(String::as_str) {
                Some("PLAN") => command_of_key(item).map(DueFleet::Plan),
                _ => batch_of_key(item).map(|(command, batch)| DueFleet::Batch(command, batch)),
            };
            found.map_err(|error| Error::corrupt(OPERATION, shown_key(item), error))
        };
        Ok(answer.items().iter().map(due).collect())
    }

    async fn get(&self, operation: &'static str, command: &CommandId, key: Item) -> Result<Option<Item>, Error> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let answer = request.send().await.map_err(|error| Error::sdk(operation, command, error))?;
        Ok(answer.item)
    }

    /// Puts an item where there is none; what is there otherwise.
    async fn put_absent(
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

    /// Puts the next revision of an item over the one before it.
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
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(revision.saturating_sub(1)))
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

/// The item that stood in the way of a write.
fn existing(error: &PutItemError) -> Option<Item> {
    match error {
        PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
        _ => None,
    }
}
