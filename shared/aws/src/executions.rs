//! The table of executions. A write either moves an execution on or changes nothing.

use aws_sdk_dynamodb::{
    Client,
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, query::builders::QueryFluentBuilder,
        update_item::UpdateItemError,
    },
    types::ReturnValuesOnConditionCheckFailure::AllOld,
};
use domain::{Change, DeliveryStatus, Execution, ExecutionId, Key, Status, ThingName, Timestamp};

use crate::{
    Advanced, Error, Put,
    item::{
        Item, execution_from_item, execution_key, execution_to_item, key_from_item, millis, number, text, thing_key,
    },
    update::Update,
    write::update_for,
};

/// What becomes of what was asked for.
#[derive(Clone, Debug)]
pub struct Executions {
    client: Client,
    table: String,
}

/// Some of the executions of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// These.
    pub executions: Vec<Execution>,
    /// There are more after this one.
    pub next: Option<ExecutionId>,
}

impl Executions {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores an execution, unless it is there.
    pub async fn put_new(&self, execution: &Execution) -> Result<Put<Execution>, Error> {
        const OPERATION: &str = "storing an execution";
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(execution_to_item(execution)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match put {
            Ok(_) => return Ok(Put::Stored),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let existing = failed.item.as_ref().map(|item| read(OPERATION, &execution.key, item)).transpose()?;
                match existing {
                    Some(existing) => Ok(Put::Exists(Box::new(existing))),
                    None => Err(Error::sdk(OPERATION, &execution.key, error)),
                }
            }
            _ => Err(Error::sdk(OPERATION, &execution.key, error)),
        }
    }

    /// Forgets an execution that nobody has been told of, if it is as it was seen.
    pub async fn forget(&self, execution: &Execution) -> Result<(), Error> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(execution_key(&execution.key)))
            .condition_expression("progress = :seen")
            .expression_attribute_values(":seen", number(execution.progress.get()))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(Error::sdk("forgetting an execution", &execution.key, error)),
            },
        }
    }

    /// Writes a change, if its guard holds: one conditional write, nothing read before it.
    pub async fn write(&self, change: &Change) -> Result<Advanced, Error> {
        const OPERATION: &str = "writing an execution";
        self.update(OPERATION, &change.key, update_for(change)).await
    }

    async fn update(&self, operation: &'static str, key: &Key, update: Update) -> Result<Advanced, Error> {
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(execution_key(key)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values((!update.values.is_empty()).then_some(update.values))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match written {
            Ok(_) => return Ok(Advanced::Written),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                None => Ok(Advanced::Unknown),
                Some(item) => Ok(Advanced::OldNews(Box::new(read(operation, key, item)?))),
            },
            _ => Err(Error::sdk(operation, key, error)),
        }
    }

    /// The execution, as it is now.
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

    /// The executions of a thing, a page at a time.
    pub async fn of_thing(&self, thing: &ThingName, after: Option<&ExecutionId>, limit: u16) -> Result<Page, Error> {
        const OPERATION: &str = "listing executions";
        let after = after.map(|id| execution_key(&Key { thing: thing.clone(), id: id.clone() }));
        let answer = self
            .query_thing(thing)
            .set_exclusive_start_key(after)
            .limit(limit.into())
            .send()
            .await
            .map_err(|error| Error::sdk(OPERATION, thing, error))?;
        let next = answer.last_evaluated_key.as_ref().map(key_from_item).transpose();
        Ok(Page {
            executions: answer.items().iter().map(|item| read(OPERATION, thing, item)).collect::<Result<_, _>>()?,
            next: next.map_err(|error| Error::corrupt(OPERATION, thing, error))?.map(|key| key.id),
        })
    }

    /// The executions that a report of this thing may mean which arrived at this time and names none: none, the only one,
    /// or the first two.
    pub async fn outstanding(&self, thing: &ThingName, at: Timestamp) -> Result<Vec<Execution>, Error> {
        const OPERATION: &str = "listing outstanding executions";
        let mut found = Vec::new();
        let mut after: Option<Item> = None;
        loop {
            let answer = self
                .query_thing(thing)
                // Only so that little is read over the network: the domain decides.
                .filter_expression("attribute_not_exists(finished_at) AND created_at <= :at AND finish_by > :at")
                .expression_attribute_values(":at", millis(at))
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::sdk(OPERATION, thing, error))?;
            for item in answer.items() {
                found.push(read(OPERATION, thing, item)?);
            }
            found.retain(|execution: &Execution| execution.may_be_meant(at));
            after = answer.last_evaluated_key;
            if after.is_none() || found.len() > 1 {
                found.truncate(2);
                return Ok(found);
            }
        }
    }

    /// The executions of a thing that wait for its device, the oldest first.
    pub async fn queued(&self, thing: &ThingName) -> Result<Vec<Execution>, Error> {
        const OPERATION: &str = "listing what waits for a device";
        let mut found = Vec::new();
        let mut after: Option<Item> = None;
        loop {
            let answer = self
                .query_thing(thing)
                .filter_expression("delivery_status = :queued AND #status = :created")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":queued", text(DeliveryStatus::Queued.as_str()))
                .expression_attribute_values(":created", text(Status::Created.as_str()))
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::sdk(OPERATION, thing, error))?;
            for item in answer.items() {
                found.push(read(OPERATION, thing, item)?);
            }
            after = answer.last_evaluated_key;
            if after.is_none() {
                found.sort_by_key(|execution: &Execution| execution.created_at);
                return Ok(found);
            }
        }
    }

    fn query_thing(&self, thing: &ThingName) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :kind)")
            .expression_attribute_values(":pk", thing_key(thing))
            .expression_attribute_values(":kind", text("E#"))
            .consistent_read(true)
    }

    /// What is due in one shard, the oldest first, at most so many. The index is a hint: it may lag.
    pub async fn due(&self, shard: u8, now: Timestamp, limit: u16) -> Result<Vec<Result<Key, Error>>, Error> {
        const OPERATION: &str = "listing what is due";
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
        let key = |item| key_from_item(item).map_err(|error| Error::corrupt(OPERATION, shard, error));
        Ok(answer.items().iter().map(key).collect())
    }
}

fn read(operation: &'static str, key: impl std::fmt::Display, item: &Item) -> Result<Execution, Error> {
    execution_from_item(item).map_err(|error| Error::corrupt(operation, key, error))
}
