//! The counts of fleet commands, in the table of commands: one item for each command and each shard of a stream.

use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError};
use domain::{CommandId, Counts, SequenceNumber, ShardCounts, Timestamp};

use crate::{
    error::{Error, FromAnswer},
    item::{Item, millis, number, shown_key, text},
};

/// The counts in the table of commands.
#[derive(Clone, Debug)]
pub struct CountsTable {
    client: Client,
    table: String,
}

/// The counts of a command from all shards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountTotals {
    /// The counts.
    pub counts: Counts,
    /// How many times counts of the command were written. It grows with every change of them.
    pub folds: u64,
    /// When the last change was counted; none if nothing was counted.
    pub as_of: Option<Timestamp>,
}

/// A shard of a DynamoDB stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard<'a> {
    /// The ARN of the stream.
    pub stream: &'a str,
    /// The id of the shard.
    pub shard: &'a str,
}

impl Shard<'_> {
    /// The key of the counts of a command: `C#<command id>`, `COUNT#<table>#<shard>`. Shards of two streams may have
    /// the same id, so the key contains the table of the stream.
    fn key(&self, command: &CommandId) -> Item {
        let table = self.stream.split('/').nth(1).unwrap_or(self.stream);
        let sk = format!("COUNT#{table}#{}", self.shard);
        Item::from([("pk".into(), text(format!("C#{command}"))), ("sk".into(), text(sk))])
    }
}

impl CountsTable {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads the counts of a command from a shard; empty if nothing of it was counted.
    ///
    /// # Errors
    /// A failed read, or counts that can't be read.
    pub async fn get(&self, command: &CommandId, shard: Shard<'_>) -> Result<ShardCounts, Error> {
        const OPERATION: &str = "reading counts";
        let key = Some(shard.key(command));
        let request = self.client.get_item().table_name(&self.table).set_key(key).consistent_read(true);
        let answer = request.send().await.map_err(|error| Error::sdk(OPERATION, command, error))?;
        answer.item.map_or_else(|| Ok(ShardCounts::default()), |item| read(OPERATION, &item))
    }

    /// Writes the counts of a command from a shard over those that were read, as those of `now`. Returns false, and writes nothing, if
    /// another writer has counted a record since.
    ///
    /// # Errors
    /// A failed write.
    pub async fn put(
        &self,
        command: &CommandId,
        shard: Shard<'_>,
        counts: &ShardCounts,
        as_read: &ShardCounts,
        purge_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut item = shard.key(command);
        item.insert("counts".to_owned(), text(counts.counts.to_stored()));
        item.insert("purge_at".to_owned(), number(purge_at.as_seconds()));
        item.insert("folds".to_owned(), number(counts.folds));
        item.insert("counted_at".to_owned(), millis(now));
        if let Some(last) = &counts.folded {
            item.insert("last_sequence_number".to_owned(), text(last.as_str()));
        }
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = match &as_read.folded {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(last) => put
                .condition_expression("last_sequence_number = :as_read")
                .expression_attribute_values(":as_read", text(last.as_str())),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Error::sdk("writing counts", command, error)),
            },
        }
    }

    /// Adds up the counts of a command from all shards.
    ///
    /// # Errors
    /// A failed query, or counts that can't be read.
    pub async fn sum(&self, command: &CommandId) -> Result<Counts, Error> {
        Ok(self.totals(command).await?.counts)
    }

    /// As [`Self::sum`], with the number and the time of the changes.
    ///
    /// # Errors
    /// A failed query, or counts that can't be read.
    pub async fn totals(&self, command: &CommandId) -> Result<CountTotals, Error> {
        const OPERATION: &str = "adding up counts";
        let mut totals = CountTotals::default();
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :kind)")
            .expression_attribute_values(":pk", text(format!("C#{command}")))
            .expression_attribute_values(":kind", text("COUNT#"))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| Error::sdk(OPERATION, command, error))?;
            let shard = read(OPERATION, &item)?;
            totals.counts.merge(&shard.counts);
            totals.folds = totals.folds.saturating_add(shard.folds);
            totals.as_of = totals.as_of.max(whole_number(&item, "counted_at").map(Timestamp::from_millis));
        }
        Ok(totals)
    }
}

fn read(operation: &'static str, item: &Item) -> Result<ShardCounts, Error> {
    let attribute = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let unreadable =
        |error: Box<dyn std::error::Error + Send + Sync>| Error::unreadable(operation, shown_key(item), error);
    let last = attribute("last_sequence_number").map(|text| SequenceNumber::parse(text)).transpose();
    let folds = whole_number(item, "folds").and_then(|folds| u64::try_from(folds).ok()).unwrap_or(0);
    let counts = Counts::from_stored(attribute("counts").map_or("{}", String::as_str));
    Ok(ShardCounts {
        folded: last.map_err(|error| unreadable(error.into()))?,
        counts: counts.map_err(|error| unreadable(error.into()))?,
        folds,
    })
}

/// A number that items of earlier versions don't have.
fn whole_number(item: &Item, attribute: &str) -> Option<i64> {
    item.get(attribute)?.as_n().ok()?.parse().ok()
}
