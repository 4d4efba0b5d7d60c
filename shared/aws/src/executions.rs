//! The table of executions. A write either moves an execution on or changes nothing.

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, query::builders::QueryFluentBuilder, update_item::UpdateItemError},
    types::{KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use domain::{BatchNumber, Change, DeliveryStatus, Execution, ExecutionId, Fact, Key, Status, ThingName, Timestamp};

use crate::{
    Advanced, Error, Put,
    delete::delete_if,
    item::{
        Item, duplicate_to_item, execution_from_item, execution_key, execution_to_item, key_from_item, millis, number,
        shown_key, text, thing_key,
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

/// Some of the executions of a thing. A row that can't be read hides no other.
#[derive(Debug, Default)]
pub struct Page {
    /// These.
    pub executions: Vec<Execution>,
    /// And these, which can't be read.
    pub unreadable: Vec<Error>,
    /// There are more after this one.
    pub next: Option<ExecutionId>,
}

impl Page {
    fn add(&mut self, operation: &'static str, items: &[Item]) {
        for item in items {
            match execution_from_item(item) {
                Ok(execution) => self.executions.push(execution),
                Err(error) => self.unreadable.push(Error::corrupt(operation, shown_key(item), error)),
            }
        }
    }
}

/// What DynamoDB leaves out of an answer is asked for again, a few times.
const TRIES: usize = 4;

impl Executions {
    /// So many executions can be read at once: BatchGetItem's limit.
    pub const AT_ONCE: usize = 100;

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

    /// Notes that a thing is in this batch too, and goes out with another: so the counts of its command come out even.
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
                _ => Err(Error::sdk("noting a thing that is in two batches", &row.key, error)),
            },
        }
    }

    /// Forgets an execution that nobody has been told of, if it is as it was seen.
    pub async fn forget(&self, execution: &Execution) -> Result<(), Error> {
        let key = execution_key(&execution.key);
        let seen = ("progress", number(execution.progress.get()));
        delete_if(&self.client, &self.table, key, seen)
            .await
            .map_err(|error| Error::sdk("forgetting an execution", &execution.key, error))
    }

    /// Writes a change, if its guard holds: one conditional write, nothing read before it. The row after it comes back where a
    /// device was heard, since then something may follow.
    pub async fn write(&self, change: &Change) -> Result<Advanced, Error> {
        const OPERATION: &str = "writing an execution";
        let wanted = if let Fact::Heard(..) = change.fact { ReturnValue::AllNew } else { ReturnValue::None };
        self.update(OPERATION, &change.key, update_for(change), wanted).await
    }

    async fn update(
        &self,
        operation: &'static str,
        key: &Key,
        update: Update,
        wanted: ReturnValue,
    ) -> Result<Advanced, Error> {
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(execution_key(key)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values((!update.values.is_empty()).then_some(update.values))
            .return_values(wanted)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match written {
            Ok(written) => {
                let row = written.attributes.as_ref().map(|item| read(operation, key, item)).transpose()?;
                return Ok(Advanced::Written(row.map(Box::new)));
            }
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

    /// The executions with these keys that are there, in no order; at most so many as [`Self::AT_ONCE`]. A row that can't be read
    /// hides no other.
    pub async fn get_all(&self, keys: &[Key]) -> Result<Page, Error> {
        const OPERATION: &str = "reading executions";
        let mut found = Page::default();
        let mut left: Vec<Item> = keys.iter().map(execution_key).collect();
        for _ in 0..TRIES {
            if left.is_empty() {
                return Ok(found);
            }
            let failed = |error| Error::sdk(OPERATION, keys.len(), error);
            let asked = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let asked = asked.map_err(|error| failed(error.into()))?;
            let answer = self.client.batch_get_item().request_items(&self.table, asked).send().await.map_err(failed)?;
            found.add(
                OPERATION,
                answer.responses.as_ref().and_then(|all| all.get(&self.table)).map_or(&[], Vec::as_slice),
            );
            let unread = answer.unprocessed_keys.and_then(|mut all| all.remove(&self.table));
            left = unread.map(|unread| unread.keys).unwrap_or_default();
        }
        match left.is_empty() {
            true => Ok(found),
            false => Err(Error::busy(OPERATION, left.len())),
        }
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
        let next = next.map_err(|error| Error::corrupt(OPERATION, thing, error))?.map(|key| key.id);
        let mut page = Page { next, ..Page::default() };
        page.add(OPERATION, answer.items());
        Ok(page)
    }

    /// The executions that a report of this thing may mean which arrived at this time and names none: all of them, or more than
    /// one, which is as good.
    pub async fn outstanding(&self, thing: &ThingName, at: Timestamp) -> Result<Page, Error> {
        let query = self
            .query_thing(thing)
            // Only so that little is read over the network: the domain decides.
            .filter_expression("attribute_not_exists(finished_at) AND created_at <= :at AND finish_by > :at")
            .expression_attribute_values(":at", millis(at));
        let mut found = gather("listing outstanding executions", thing, query, |found| {
            found.executions.retain(|execution| execution.may_be_meant(at));
            found.executions.len() + found.unreadable.len() > 1
        })
        .await?;
        found.executions.truncate(2);
        Ok(found)
    }

    /// The executions of a thing that wait for its device at this time, the oldest first.
    pub async fn waiting(&self, thing: &ThingName, now: Timestamp) -> Result<Page, Error> {
        let query = self
            .query_thing(thing)
            .filter_expression("delivery_status IN (:queued, :pending) AND #status = :created")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":queued", text(DeliveryStatus::Queued.as_str()))
            .expression_attribute_values(":pending", text(DeliveryStatus::Pending.as_str()))
            .expression_attribute_values(":created", text(Status::Created.as_str()));
        let mut found = gather("listing what waits for a device", thing, query, |_| false).await?;
        found.executions.retain(|execution| execution.is_to_be_replayed(now));
        found.executions.sort_by_key(|execution| execution.created_at);
        Ok(found)
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

/// What a query finds, page after page, until there is no more or it is enough.
async fn gather(
    operation: &'static str,
    thing: &ThingName,
    query: QueryFluentBuilder,
    mut is_enough: impl FnMut(&mut Page) -> bool,
) -> Result<Page, Error> {
    let mut found = Page::default();
    let mut after: Option<Item> = None;
    loop {
        let answer = query.clone().set_exclusive_start_key(after).send().await;
        let answer = answer.map_err(|error| Error::sdk(operation, thing, error))?;
        found.add(operation, answer.items());
        after = answer.last_evaluated_key;
        if is_enough(&mut found) || after.is_none() {
            return Ok(found);
        }
    }
}

fn read(operation: &'static str, key: impl std::fmt::Display, item: &Item) -> Result<Execution, Error> {
    execution_from_item(item).map_err(|error| Error::corrupt(operation, key, error))
}
