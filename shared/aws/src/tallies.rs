//! The counts of fleet commands: an item for each command and each shard of a stream, in the table of commands.

use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError};
use domain::{CommandId, Contribution, Counts, Folded, SequenceNumber, Tally, Timestamp};
use serde_json::Value;

use crate::{
    Error,
    item::{Item, command_of_duplicate, execution_from_item, number, shown_key, text},
    stream,
};

/// The counts.
#[derive(Clone, Debug)]
pub struct Tallies {
    client: Client,
    table: String,
}

/// A shard of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard<'a> {
    /// Of which stream: its ARN.
    pub stream: &'a str,
    /// Which of its shards.
    pub shard: &'a str,
}

impl Shard<'_> {
    /// Two streams may have shards of the same name: the name of the stream's table tells them apart.
    fn key(&self, command: &CommandId) -> Item {
        let table = self.stream.split('/').nth(1).unwrap_or(self.stream);
        let sk = format!("COUNT#{table}#{}", self.shard);
        Item::from([("pk".into(), text(format!("C#{command}"))), ("sk".into(), text(sk))])
    }
}

impl Tallies {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// What was folded of a shard for a command.
    pub async fn get(&self, command: &CommandId, shard: Shard<'_>) -> Result<Tally, Error> {
        const OPERATION: &str = "reading counts";
        let key = Some(shard.key(command));
        let request = self.client.get_item().table_name(&self.table).set_key(key).consistent_read(true);
        let answer = request.send().await.map_err(|error| Error::sdk(OPERATION, command, error))?;
        answer.item.map_or_else(|| Ok(Tally::default()), |item| read(OPERATION, &item))
    }

    /// Writes what was folded, if it was folded onto this; false if someone else was faster.
    pub async fn put(
        &self,
        command: &CommandId,
        shard: Shard<'_>,
        tally: &Tally,
        onto: &Tally,
        purge_at: Timestamp,
    ) -> Result<bool, Error> {
        let mut item = shard.key(command);
        item.insert("counts".to_owned(), text(tally.counts.to_stored()));
        item.insert("purge_at".to_owned(), number(purge_at.as_seconds()));
        if let Some(folded) = &tally.folded {
            item.insert("folded".to_owned(), text(folded.as_str()));
        }
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = match &onto.folded {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(folded) => {
                put.condition_expression("folded = :seen").expression_attribute_values(":seen", text(folded.as_str()))
            }
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Error::sdk("writing counts", command, error)),
            },
        }
    }

    /// The counts of a command, over all shards.
    pub async fn sum(&self, command: &CommandId) -> Result<Counts, Error> {
        const OPERATION: &str = "adding up counts";
        let mut counts = Counts::default();
        let mut pages = self
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
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| Error::sdk(OPERATION, command, error))?;
            counts.merge(&read(OPERATION, &item)?.counts);
        }
        Ok(counts)
    }
}

fn read(operation: &'static str, item: &Item) -> Result<Tally, Error> {
    let attribute = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let corrupt = |error: Box<dyn std::error::Error + Send + Sync>| Error::corrupt(operation, shown_key(item), error);
    let folded = attribute("folded").map(|text| SequenceNumber::parse(text)).transpose();
    let counts = Counts::from_stored(attribute("counts").map_or("{}", String::as_str));
    Ok(Tally {
        folded: folded.map_err(|error| corrupt(error.into()))?,
        counts: counts.map_err(|error| corrupt(error.into()))?,
    })
}

/// What a record of a stream adds to the counts of which command; none if it is about nothing that is counted.
pub fn folded(
    sequence: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<Option<(CommandId, Folded)>, Error> {
    const OPERATION: &str = "counting a change";
    let sequence = SequenceNumber::parse(sequence).map_err(|error| Error::corrupt(OPERATION, sequence, error))?;
    let (before, after) = (before.map(contribution).transpose()?, after.map(contribution).transpose()?);
    let command = before.iter().chain(&after).flatten().map(|(command, _)| command.clone()).next();
    let only = |found: Option<Option<(CommandId, Contribution)>>| found.flatten().map(|(_, contribution)| contribution);
    Ok(command.map(|command| (command, Folded { sequence, before: only(before), after: only(after) })))
}

/// What an item adds, in DynamoDB's JSON.
fn contribution(image: &Value) -> Result<Option<(CommandId, Contribution)>, Error> {
    const OPERATION: &str = "counting an item";
    let Some(item) = stream::item(image) else {
        return Err(Error::corrupt(OPERATION, "?", "an image that is no item"));
    };
    let corrupt = |error| Error::corrupt(OPERATION, shown_key(&item), error);
    match item.get("sk").and_then(|sk| sk.as_s().ok()).map(String::as_str) {
        Some(sk) if sk.starts_with("D#") => {
            let command = command_of_duplicate(&item).map_err(corrupt)?;
            Ok(Some((command, Contribution::Duplicate)))
        }
        Some(sk) if sk.starts_with("E#") && item.contains_key("batch") => {
            let execution = execution_from_item(&item).map_err(corrupt)?;
            Ok(Some((execution.command.clone(), Contribution::of(&execution))))
        }
        _ => Ok(None),
    }
}
