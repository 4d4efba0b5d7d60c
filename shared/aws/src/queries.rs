//! Queries of executions: of a thing, outstanding, or waiting for their device.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use calls::Page;
use domain::{DeliveryStatus, NewestFirst, OnlineAction, Status, ThingName, Timestamp};

use crate::{
    error::{Error, FromAnswer},
    executions::Executions,
    item::{Item, millis, text, thing_key},
    page::add_items,
};

impl Executions {
    /// A page of the executions of a thing, the newest first: at most `limit` that come after `after`.
    ///
    /// The key of a row is a hash, so every row of the thing is read for each page: a read unit for 4 KB.
    ///
    /// # Errors
    /// A failed query.
    pub async fn of_thing(&self, thing: &ThingName, after: Option<&NewestFirst>, limit: u16) -> Result<Page, Error> {
        let limit = usize::from(limit);
        let mut page = gather("listing executions", thing, self.query_thing(thing), |page| {
            page.executions.retain(|execution| after.is_none_or(|after| NewestFirst::of(execution) > *after));
            page.executions.sort_by_cached_key(NewestFirst::of);
            page.executions.truncate(limit + 1);
            false
        })
        .await?;
        page.has_more = page.executions.len() > limit;
        page.executions.truncate(limit);
        Ok(page)
    }

    /// The executions that a report without an execution id may be about, when it arrives from this thing at `at`; at
    /// most two, since the caller needs to know only whether there is exactly one.
    ///
    /// # Errors
    /// A failed query.
    pub async fn outstanding(&self, thing: &ThingName, at: Timestamp) -> Result<Page, Error> {
        let query = self
            .query_thing(thing)
            // A coarse filter, so that less is sent over the network. `domain` decides.
            .filter_expression("attribute_not_exists(finished_at) AND created_at <= :at AND finish_by > :at")
            .expression_attribute_values(":at", millis(at));
        let mut page = gather("listing outstanding executions", thing, query, |page| {
            page.executions.retain(|execution| execution.matches_unnamed_report(at));
            page.executions.len() + page.unreadable.len() > 1
        })
        .await?;
        page.executions.truncate(2);
        Ok(page)
    }

    /// The executions of a thing that something is to be done about when its device comes online at `now`, the oldest
    /// first ([`domain::Execution::online_action`]). `subscribed`: the device has subscribed.
    ///
    /// # Errors
    /// A failed query.
    pub async fn waiting(&self, thing: &ThingName, now: Timestamp, subscribed: bool) -> Result<Page, Error> {
        let query = self
            .query_thing(thing)
            .filter_expression("delivery_status IN (:queued, :pending, :sent) AND #status = :created")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":queued", text(DeliveryStatus::Queued.as_str()))
            .expression_attribute_values(":pending", text(DeliveryStatus::Pending.as_str()))
            .expression_attribute_values(":sent", text(DeliveryStatus::Sent.as_str()))
            .expression_attribute_values(":created", text(Status::Created.as_str()));
        let mut page = gather("listing executions that wait for a device", thing, query, |_| false).await?;
        page.executions.retain(|execution| execution.online_action(now, subscribed) != OnlineAction::Nothing);
        page.executions.sort_by_key(|execution| execution.created_at);
        Ok(page)
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
}

/// Reads page after page of a query, until there are no more or `is_enough`.
async fn gather(
    operation: &'static str,
    thing: &ThingName,
    query: QueryFluentBuilder,
    mut is_enough: impl FnMut(&mut Page) -> bool,
) -> Result<Page, Error> {
    let mut page = Page::default();
    let mut after: Option<Item> = None;
    loop {
        let answer = query.clone().set_exclusive_start_key(after).send().await;
        let answer = answer.map_err(|error| Error::sdk(operation, thing, error))?;
        add_items(&mut page, operation, answer.items());
        after = answer.last_evaluated_key;
        if is_enough(&mut page) || after.is_none() {
            return Ok(page);
        }
    }
}
