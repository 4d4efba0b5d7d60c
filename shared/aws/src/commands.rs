//! The table of commands.

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::ReturnValuesOnConditionCheckFailure,
};
use domain::{Command, CommandId, Control};

use crate::{
    Error, Put,
    delete::delete_if,
    item::{command_from_item, command_key, command_to_item, control_attributes, number, text},
    update::Update,
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

    /// Writes what has become of a command's control, unless someone else has changed it meanwhile: then false.
    pub async fn write_control(&self, id: &CommandId, control: &Control) -> Result<bool, Error> {
        const OPERATION: &str = "changing a command's control";
        let mut update = Update::default();
        update.if_exists("pk");
        match control.generation {
            0 | 1 => update.if_absent("generation"),
            generation => update.if_compares("generation", "=", number(generation - 1)),
        }
        for attribute in ["force", "control_reason", "control_why"] {
            update.remove(attribute);
        }
        for (attribute, value) in control_attributes(control) {
            update.unremove(attribute);
            update.set(attribute, value);
        }
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(command_key(id)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Error::sdk(OPERATION, id, error)),
            },
        }
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
