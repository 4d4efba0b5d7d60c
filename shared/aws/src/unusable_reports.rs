//! The last unusable reports of a thing, in the table of executions: `T#<thing>`, `REPORTS`.

use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError};
use domain::{ThingName, UnusableReports};

use crate::error::{Error, FromAnswer};
use crate::item::{reports_from_item, reports_key, reports_to_item, reports_value};

/// The unusable reports in the table of executions.
#[derive(Clone, Debug)]
pub struct UnusableReportsTable {
    client: Client,
    table: String,
}

impl UnusableReportsTable {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads the reports of a thing; empty if there are none.
    ///
    /// # Errors
    /// A failed read, or reports that can't be read.
    pub async fn read(&self, thing: &ThingName) -> Result<UnusableReports, Error> {
        const OPERATION: &str = "reading unusable reports";
        let request = self.client.get_item().table_name(&self.table).set_key(Some(reports_key(thing)));
        let answer = request.send().await.map_err(|error| Error::sdk(OPERATION, thing, error))?;
        answer
            .item
            .map_or_else(|| Ok(UnusableReports::default()), |item| reports_from_item(&item))
            .map_err(|error| Error::unreadable(OPERATION, thing, error))
    }

    /// Writes the reports of a thing over those that were read. Returns false, and
    /// writes nothing, if another writer has been faster.
    ///
    /// # Errors
    /// A failed write.
    pub async fn write(
        &self,
        thing: &ThingName,
        read: &UnusableReports,
        reports: &UnusableReports,
    ) -> Result<bool, Error> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(reports_to_item(thing, reports)))
            .condition_expression("attribute_not_exists(reports) OR reports = :read")
            .expression_attribute_values(":read", reports_value(read))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Error::sdk("writing unusable reports", thing, error)),
            },
        }
    }
}
