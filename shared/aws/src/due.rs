//! Queries of the due indexes: pages of entries, the oldest first.
//!
//! An index is eventually consistent: read a row before acting on its entry.

use std::ops::RangeInclusive;

use aws_sdk_dynamodb::Client;
use domain::{BatchNumber, CommandId, Key};

use crate::{
    error::{Error, FromAnswer},
    executions::Executions,
    fleets::Fleets,
    item::{Item, Unreadable, batch_of_key, command_of_key, due_at_of_key, key_from_item, number, shown_key, text},
};

/// An entry of a due index.
#[derive(Debug)]
pub struct Due<T> {
    /// What is due. An entry whose key can't be read does not hide the others.
    pub item: Result<T, Error>,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// A plan or a batch that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueFleet {
    /// The plan of a command.
    Plan(CommandId),
    /// A batch of a command.
    Batch(CommandId, BatchNumber),
}

/// A page of entries.
#[derive(Debug)]
pub struct DuePage<T> {
    /// The entries.
    pub entries: Vec<Due<T>>,
    /// Where the next page begins; none after the last one.
    pub next: Option<DueCursor>,
}

/// A position in a shard of a due index.
#[derive(Clone, Debug)]
pub struct DueCursor(Item);

impl Executions {
    /// The executions of a shard whose entries are in `range`, in seconds since 1970: at most `limit` after `after`.
    ///
    /// # Errors
    /// A failed query.
    pub async fn due(
        &self,
        shard: u8,
        range: &RangeInclusive<i64>,
        after: Option<DueCursor>,
        limit: u16,
    ) -> Result<DuePage<Key>, Error> {
        const OPERATION: &str = "listing due executions";
        query(OPERATION, (&self.client, &self.table), shard, range, after, limit, key_from_item).await
    }
}

impl Fleets {
    /// The plans and batches of a shard whose entries are in `range`, in seconds since 1970: at most `limit` after
    /// `after`.
    ///
    /// # Errors
    /// A failed query.
    pub async fn due(
        &self,
        shard: u8,
        range: &RangeInclusive<i64>,
        after: Option<DueCursor>,
        limit: u16,
    ) -> Result<DuePage<DueFleet>, Error> {
        const OPERATION: &str = "listing due plans and batches";
        let read = |item: &Item| match item.get("sk").and_then(|sk| sk.as_s().ok()).map(String::as_str) {
            Some("PLAN") => command_of_key(item).map(DueFleet::Plan),
            _ => batch_of_key(item).map(|(command, batch)| DueFleet::Batch(command, batch)),
        };
        query(OPERATION, (&self.client, &self.table), shard, range, after, limit, read).await
    }
}

async fn query<T>(
    operation: &'static str,
    (client, table): (&Client, &str),
    shard: u8,
    range: &RangeInclusive<i64>,
    after: Option<DueCursor>,
    limit: u16,
    read: impl Fn(&Item) -> Result<T, Unreadable>,
) -> Result<DuePage<T>, Error> {
    let answer = client
        .query()
        .table_name(table)
        .index_name("due")
        .key_condition_expression("due_shard = :shard AND due_at BETWEEN :from AND :until")
        .expression_attribute_values(":shard", text(shard.to_string()))
        .expression_attribute_values(":from", number(*range.start()))
        .expression_attribute_values(":until", number(*range.end()))
        .set_exclusive_start_key(after.map(|DueCursor(item)| item))
        .limit(limit.into())
        .send()
        .await
        .map_err(|error| Error::sdk(operation, shard, error))?;
    let entry = |item: &Item| Due {
        item: read(item).map_err(|error| Error::unreadable(operation, shown_key(item), error)),
        at: due_at_of_key(item),
    };
    let entries = answer.items().iter().map(entry).collect();
    Ok(DuePage { entries, next: answer.last_evaluated_key.map(DueCursor) })
}
