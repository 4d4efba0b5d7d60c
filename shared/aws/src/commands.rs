//! The table of commands.

use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure};
use domain::{Command, CommandId};

use crate::{
    Error, Put,
    delete::delete_if,
    item::{command_from_item, command_key, command_to_item, text},
};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Commands {
    client: Client,
    table: String,
}

impl Commands {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a command, unless one with its id is there: then that one is the command.
    pub async fn put_new(&self, command: &Command) -> Result<Put<Command>, Error> {
        const OPERATION: &str = "storing a command";
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(command_to_item(command)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put.map_err(|error| (error.as_service_error().and_then(existing), error)) {
            Ok(_) => Ok(Put::Stored),
            Err((Some(item), _)) => match command_from_item(&item) {
                Ok(command) => Ok(Put::Exists(Box::new(command))),
                Err(error) => Err(Error::corrupt(OPERATION, &command.id, error)),
            },
            Err((None, error)) => Err(Error::sdk(OPERATION, &command.id, error)),
        }
    }

    /// Forgets a command that nobody has been told of.
    pub async fn forget(&self, command: &Command) -> Result<(), Error> {
        let seen = ("fingerprint", text(command.fingerprint.as_str()));
        delete_if(&self.client, &self.table, command_key(&command.id), seen)
            .await
            .map_err(|error| Error::sdk("forgetting a command", &command.id, error))
    }

    /// The command with this id.
    pub async fn get(&self, id: &CommandId) -> Result<Option<Command>, Error> {
        const OPERATION: &str = "reading a command";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(command_key(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::sdk(OPERATION, id, error))?;
        answer
            .item
            .map(|item| command_from_item(&item))
            .transpose()
            .map_err(|error| Error::corrupt(OPERATION, id, error))
    }
}

/// The item that stood in the way of a write.
fn existing(error: &PutItemError) -> Option<crate::item::Item> {
    match error {
        PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
        _ => None,
    }
}
