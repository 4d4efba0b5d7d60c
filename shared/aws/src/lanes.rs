//! The queues of lanes, in the table of executions: `T#<thing>`, `L#<lane>`.

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use calls::{LaneEntry, WriteOutcome};
use domain::{ExecutionId, LaneClaim, LaneName, LaneQueue, ThingName, Timestamp};

use crate::{
    error::{Error, FromAnswer},
    item::{Item, lane_from_item, lane_key, millis, number, text},
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

    /// Claims a lane, so that no other function settles it before the claim ends. Returns the claim that the lane has
    /// then: this one, or that of another function, which has not ended at `now`; none if the lane has no queue.
    ///
    /// # Errors
    /// A failed write, or a queue that can't be read.
    pub async fn claim(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        claim: &LaneClaim,
        now: Timestamp,
    ) -> Result<Option<LaneClaim>, Error> {
        const OPERATION: &str = "claiming a lane";
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(lane_key(thing, lane)))
            .update_expression("SET settling = :token, settling_as_of = :as_of, settling_until = :until")
            // The token is in the item already where the write is repeated without an answer.
            .condition_expression(
                "attribute_exists(ids) AND (attribute_not_exists(settling) OR settling = :token OR settling_until <= :now)",
            )
            .expression_attribute_values(":token", text(&claim.token))
            .expression_attribute_values(":as_of", millis(claim.as_of))
            .expression_attribute_values(":until", millis(claim.until))
            .expression_attribute_values(":now", millis(now))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let error = match written {
            Ok(_) => return Ok(Some(claim.clone())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(read(OPERATION, thing, lane, failed.item.as_ref())?.settler)
            }
            _ => Err(Error::sdk(OPERATION, shown(thing, lane), error)),
        }
    }

    /// Removes executions from the queue of a lane, each from its position in the queue that was read, and gives up
    /// the claim, if there is one. Nothing is removed if one of them has another position by now: then this is a
    /// conflict, which returns the queue as it is.
    ///
    /// # Errors
    /// A failed write, or a queue that can't be read.
    pub async fn leave(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        leaving: &[(usize, ExecutionId)],
        claim: Option<&LaneClaim>,
    ) -> Result<WriteOutcome<LaneQueue>, Error> {
        const OPERATION: &str = "leaving a lane";
        let mut removed: Vec<String> = leaving.iter().map(|(position, _)| format!("ids[{position}]")).collect();
        let mut conditions: Vec<String> =
            leaving.iter().map(|(position, _)| format!("ids[{position}] = :i{position}")).collect();
        let mut update = self.client.update_item().table_name(&self.table).set_key(Some(lane_key(thing, lane)));
        for (position, id) in leaving {
            update = update.expression_attribute_values(format!(":i{position}"), text(id.as_str()));
        }
        if let Some(claim) = claim {
            removed.extend(["settling", "settling_as_of", "settling_until"].map(str::to_owned));
            conditions.push("settling = :token".to_owned());
            update = update.expression_attribute_values(":token", text(&claim.token));
        }
        let written = update
            .update_expression(format!("REMOVE {}", removed.join(", ")))
            .condition_expression(conditions.join(" AND "))
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
