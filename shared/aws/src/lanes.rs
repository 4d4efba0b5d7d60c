//! The queues of lanes, in the table of executions: `T#<thing>`, `L#<lane>`.

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use calls::{LaneEntry, WriteOutcome};
use domain::{ExecutionId, LaneName, LaneQueue, ThingName, Timestamp};

use crate::{
    error::{Error, FromAnswer},
    item::{Item, lane_from_item, lane_key, number, text},
};

/// The lanes in the table of executions.
#[derive(Clone, Debug)]
pub struct Lanes {
    client: Client,
    table: String,
}

impl Lanes {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Appends an execution to the queue of a lane, unless it is in it already. The lane is kept at least until
    /// `purge_at`.
    ///
    /// # Errors
    /// A failed write, or a queue that can't be read.
    pub async fn enter(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        id: &ExecutionId,
        purge_at: Timestamp,
    ) -> Result<LaneEntry, Error> {
        const OPERATION: &str = "entering a lane";
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(lane_key(thing, lane)))
            .update_expression("SET ids = list_append(if_not_exists(ids, :none), :ids), purge_at = :purge_at")
            .condition_expression("attribute_not_exists(ids) OR (NOT contains(ids, :id) AND size(ids) < :max_length)")
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":ids", AttributeValue::L(vec![text(id.as_str())]))
            .expression_attribute_values(":id", text(id.as_str()))
            .expression_attribute_values(":max_length", number(LaneQueue::MAX_LENGTH))
            .expression_attribute_values(":purge_at", number(purge_at.as_seconds()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match written {
            Ok(written) => return Ok(LaneEntry::Joined(read(OPERATION, thing, lane, written.attributes.as_ref())?)),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let queue = read(OPERATION, thing, lane, failed.item.as_ref())?;
                Ok(if queue.ids.contains(id) { LaneEntry::Joined(queue) } else { LaneEntry::Full })
            }
            _ => Err(Error::sdk(OPERATION, shown(thing, lane), error)),
        }
    }

    /// Removes an execution from the queue of a lane, if it is still at `position`, as in the queue that was read. A
    /// conflict returns the queue as it is now.
    ///
    /// # Errors
    /// A failed write, or a queue that can't be read.
    pub async fn leave(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        id: &ExecutionId,
        position: usize,
    ) -> Result<WriteOutcome<LaneQueue>, Error> {
        const OPERATION: &str = "leaving a lane";
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(lane_key(thing, lane)))
            .update_expression(format!("REMOVE ids[{position}]"))
            .condition_expression(format!("ids[{position}] = :id"))
            .expression_attribute_values(":id", text(id.as_str()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match written {
            Ok(written) => {
                let queue = read(OPERATION, thing, lane, written.attributes.as_ref())?;
                return Ok(WriteOutcome::Applied(queue));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                None => Ok(WriteOutcome::NotFound),
                item => Ok(WriteOutcome::Conflict(read(OPERATION, thing, lane, item.as_ref())?)),
            },
            _ => Err(Error::sdk(OPERATION, shown(thing, lane), error)),
        }
    }

    /// Reads the queue of a lane; empty if no execution has ever entered it.
    ///
    /// # Errors
    /// A failed read, or a queue that can't be read.
    pub async fn read(&self, thing: &ThingName, lane: &LaneName) -> Result<LaneQueue, Error> {
        const OPERATION: &str = "reading a lane";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(lane_key(thing, lane)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::sdk(OPERATION, shown(thing, lane), error))?;
        read(OPERATION, thing, lane, answer.item.as_ref())
    }
}

fn shown(thing: &ThingName, lane: &LaneName) -> String {
    format!("{thing}/{}", lane.as_str())
}

fn read(operation: &'static str, thing: &ThingName, lane: &LaneName, item: Option<&Item>) -> Result<LaneQueue, Error> {
    item.map_or_else(|| Ok(LaneQueue::default()), lane_from_item)
        .map_err(|error| Error::unreadable(operation, shown(thing, lane), error))
}
