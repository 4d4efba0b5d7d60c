//! The table of executions. A write either moves an execution on or changes nothing.

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, query::builders::QueryFluentBuilder, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use domain::{Change, Execution, ExecutionId, Fact, Key, Status, ThingName, Timestamp};

use crate::{
    Advanced, Error, Put,
    item::{
        Item, due_entry, execution_from_item, execution_key, execution_to_item, key_from_item, millis, number, text,
        thing_key,
    },
    update::Update,
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

    /// Writes a change, if the execution has not come as far: one conditional write, nothing read before it.
    pub async fn advance(&self, change: &Change) -> Result<Advanced, Error> {
        self.write("advancing an execution", &change.key, update_for(change)).await
    }

    /// Writes that a device which runs was heard of, if that was later than before.
    pub async fn hear(&self, key: &Key, at: Timestamp) -> Result<Advanced, Error> {
        let mut update = Update::default();
        update.if_compares("heard_at", "<", millis(at));
        update.if_compares("status", "=", text(Status::InProgress.as_str()));
        update.set("heard_at", millis(at));
        self.write("hearing of an execution", key, update).await
    }

    /// Moves the time at which an execution is looked at again.
    pub async fn extend(&self, key: &Key, from: i64, to: i64) -> Result<Advanced, Error> {
        let mut update = Update::default();
        update.if_compares("due_at", "=", number(from));
        for (attribute, value) in due_entry(&key.id, to) {
            update.set(attribute, value);
        }
        self.write("extending an execution", key, update).await
    }

    /// Takes an execution that is owed nothing out of the index of what is due.
    pub async fn clear(&self, key: &Key, from: i64) -> Result<Advanced, Error> {
        let mut update = Update::default();
        update.if_compares("due_at", "=", number(from));
        update.remove("due_shard");
        update.remove("due_at");
        self.write("clearing an execution", key, update).await
    }

    async fn write(&self, operation: &'static str, key: &Key, update: Update) -> Result<Advanced, Error> {
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

/// The change as one conditional write.
fn update_for(change: &Change) -> Update {
    let mut update = Update::default();
    update.if_exists("pk");
    update.if_compares("progress", "<", number(change.progress.get()));
    update.if_compares("attempt", ">=", number(change.attempt));
    if let Some(seen) = change.seen {
        update.if_still("due_at", seen.due_at.map(number));
        update.if_still("heard_at", seen.heard_at.map(millis));
    }
    if let Fact::Heard(at) = change.fact {
        update.if_compares("finish_by", ">", millis(at));
        update.if_exists_or_compares("started_at", "start_by", ">", millis(at));
    }
    update.set("progress", number(change.progress.get()));
    update.set("status", text(change.status.as_str()));
    if let Some(delivery) = change.delivery_status {
        update.set("delivery_status", text(delivery.as_str()));
    }
    match &change.fact {
        Fact::Tried => {}
        Fact::Delivered(at) => update.set("delivered_at", millis(*at)),
        Fact::Heard(at) => {
            update.set_once("delivered_at", millis(*at));
            update.set_once("started_at", millis(*at));
            update.set("heard_at", millis(*at));
        }
        Fact::Finished(outcome) => {
            update.set_once("delivered_at", millis(outcome.at));
            update.set("finished_at", millis(outcome.at));
            let result = outcome.result.as_ref();
            set_or_remove(&mut update, "reason", outcome.code.as_ref().map(|code| text(code.as_str())));
            set_or_remove(&mut update, "description", outcome.description.as_ref().map(text));
            set_or_remove(&mut update, "result", result.map(|result| text(&result.text)));
            set_or_remove(
                &mut update,
                "result_cut",
                result.filter(|result| result.cut).map(|_| AttributeValue::Bool(true)),
            );
        }
        Fact::GaveUp(verdict) => {
            update.set("verdict", text(verdict.reason.as_str()));
            update.set("verdict_at", millis(verdict.at));
        }
    }
    if change.is_terminal() {
        update.remove("due_shard");
        update.remove("due_at");
    }
    if change.is_failure() {
        update.set_from("failed_command", "command_id");
    } else if change.is_terminal() {
        update.remove("failed_command");
    }
    update
}

/// What an earlier attempt left behind does not stay.
fn set_or_remove(update: &mut Update, attribute: &str, value: Option<AttributeValue>) {
    match value {
        Some(value) => update.set(attribute, value),
        None => update.remove(attribute),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Command, CommandName, Deadlines, Definition, Delivery, Fingerprint, Report};

    use super::*;

    fn execution() -> Execution {
        let at = Timestamp::from_seconds(1_700_000_000);
        Execution::create(&Command {
            id: domain::CommandId::from_request(at, "request"),
            definition: Definition {
                name: CommandName::parse("reboot").unwrap(),
                payload: None,
                thing: ThingName::parse("pump-7").unwrap(),
                delivery: Delivery::Auto,
                deadlines: Deadlines::new(None, None, None).unwrap(),
            },
            created_at: at,
            fingerprint: Fingerprint::from_stored("fingerprint"),
        })
    }

    fn reported(payload: &str) -> Update {
        let execution = execution();
        let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
        update_for(&report.change(execution.key, Timestamp::from_seconds(1_700_000_001)))
    }

    #[test]
    fn a_report_never_makes_a_row_and_never_goes_back() {
        let update = reported("RUNNING");
        assert_eq!(
            update.condition(),
            "attribute_exists(#pk) AND #progress < :v0 AND #attempt >= :v1 \
             AND #finish_by > :v2 AND (attribute_exists(#started_at) OR #start_by > :v3)"
        );
        let ended = reported("SUCCEEDED").condition();
        assert_eq!(
            ended, "attribute_exists(#pk) AND #progress < :v0 AND #attempt >= :v1",
            "its own word always counts"
        );
        assert!(!update.expression().contains("REMOVE"), "{}", update.expression());
    }

    #[test]
    fn what_has_ended_is_not_due_any_more() {
        let update = reported("SUCCEEDED");
        assert!(update.expression().contains("#due_shard, #due_at"), "{}", update.expression());
        assert!(update.expression().ends_with("#failed_command"), "{}", update.expression());
        assert!(reported("FAILED").expression().contains("#failed_command = #command_id"));
    }

    #[test]
    fn a_reconciler_writes_only_what_it_has_seen() {
        let execution = execution();
        let domain::Due::Settle(change) = execution.due(execution.start_by) else { panic!("not due") };
        let condition = update_for(&change).condition();
        assert!(condition.ends_with("#due_at = :v2 AND attribute_not_exists(#heard_at)"), "{condition}");
    }
}
