//! The lanes of things: who is next. Items of the table of executions: `T#<thing>`, `L#<lane>`.

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use domain::{ExecutionId, LaneName, Queue, ThingName, Timestamp};

use crate::{
    Error,
    item::{Item, lane_from_item, lane_key, number, text},
};

/// Who is in which lane.
#[derive(Clone, Debug)]
pub struct Lanes {
    client: Client,
    table: String,
}

/// What came of joining a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It is in it; so are these, in order.
    In(Queue),
    /// It is not in it: there is no room.
    Full,
}

/// Whoever leaves a lane may be overtaken by others who do; each try costs a write.
const TRIES: usize = 8;

impl Lanes {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Joins a lane at its end, unless it is in it already.
    pub async fn enter(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        id: &ExecutionId,
        purge_at: Timestamp,
    ) -> Result<Entered, Error> {
        const OPERATION: &str = "entering a lane";
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(lane_key(thing, lane)))
            .update_expression("SET ids = list_append(if_not_exists(ids, :none), :ids), purge_at = :purge")
            .condition_expression("attribute_not_exists(ids) OR (NOT contains(ids, :id) AND size(ids) < :most)")
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":ids", AttributeValue::L(vec![text(id.as_str())]))
            .expression_attribute_values(":id", text(id.as_str()))
            .expression_attribute_values(":most", number(Queue::LONGEST))
            .expression_attribute_values(":purge", number(purge_at.as_seconds()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match written {
            Ok(written) => return Ok(Entered::In(read(OPERATION, thing, lane, written.attributes.as_ref())?)),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let queue = read(OPERATION, thing, lane, failed.item.as_ref())?;
                Ok(if queue.ids.contains(id) { Entered::In(queue) } else { Entered::Full })
            }
            _ => Err(Error::sdk(OPERATION, named(thing, lane), error)),
        }
    }

    /// Leaves a lane; who is left in it. Leaving twice is leaving once.
    pub async fn leave(&self, thing: &ThingName, lane: &LaneName, id: &ExecutionId) -> Result<Queue, Error> {
        const OPERATION: &str = "leaving a lane";
        let mut queue = self.read(thing, lane).await?;
        for _ in 0..TRIES {
            let Some(at) = queue.ids.iter().position(|other| other == id) else { return Ok(queue) };
            let written = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(lane_key(thing, lane)))
                .update_expression(format!("REMOVE ids[{at}]"))
                .condition_expression(format!("ids[{at}] = :id"))
                .expression_attribute_values(":id", text(id.as_str()))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(AllOld)
                .send()
                .await;
            let error = match written {
                Ok(written) => return read(OPERATION, thing, lane, written.attributes.as_ref()),
                Err(error) => error,
            };
            queue = match error.as_service_error() {
                // Others have left in between.
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    read(OPERATION, thing, lane, failed.item.as_ref())?
                }
                _ => return Err(Error::sdk(OPERATION, named(thing, lane), error)),
            };
        }
        Err(Error::busy(OPERATION, named(thing, lane)))
    }

    /// Who is in a lane.
    pub async fn read(&self, thing: &ThingName, lane: &LaneName) -> Result<Queue, Error> {
        const OPERATION: &str = "reading a lane";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(lane_key(thing, lane)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::sdk(OPERATION, named(thing, lane), error))?;
        read(OPERATION, thing, lane, answer.item.as_ref())
    }
}

fn named(thing: &ThingName, lane: &LaneName) -> String {
    format!("{thing}/{}", lane.as_str())
}

fn read(operation: &'static str, thing: &ThingName, lane: &LaneName, item: Option<&Item>) -> Result<Queue, Error> {
    item.map_or_else(|| Ok(Queue::default()), lane_from_item)
        .map_err(|error| Error::corrupt(operation, named(thing, lane), error))
}
