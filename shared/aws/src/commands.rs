//! The definitions and the control states of commands, in the table of commands. Of a definition only the rate of a
//! rollout changes.

use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure};
use calls::PutOutcome;
use domain::{Command, CommandId, Control, fleet::RateChange};

use crate::{
    delete::delete_if,
    error::{Error, FromAnswer},
    item::{
        Item, changed_rate_attributes, command_from_item, command_key, command_to_item, control_attributes, number,
        text,
    },
    update::Update,
};

/// The commands in the table of commands.
#[derive(Clone, Debug)]
pub struct Commands {
    client: Client,
    table: String,
}

impl Commands {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a new command, unless one with its id exists.
    ///
    /// # Errors
    /// A failed write, or an existing command that can't be read.
    pub async fn put_new(&self, command: &Command) -> Result<PutOutcome<Command>, Error> {
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
            Ok(_) => Ok(PutOutcome::Stored),
            Err((Some(item), _)) => match command_from_item(&item) {
                Ok(command) => Ok(PutOutcome::Exists(Box::new(command))),
                Err(error) => Err(Error::unreadable(OPERATION, &command.id, error)),
            },
            Err((None, error)) => Err(Error::sdk(OPERATION, &command.id, error)),
        }
    }

    /// Deletes a command of which no request was sent.
    ///
    /// # Errors
    /// A failed delete.
    pub async fn delete_unsent(&self, command: &Command) -> Result<(), Error> {
        let as_read = ("fingerprint", text(command.fingerprint.as_str()));
        delete_if(&self.client, &self.table, command_key(&command.id), as_read)
            .await
            .map_err(|error| Error::sdk("deleting a command", &command.id, error))
    }

    /// Writes the next control state of a command, and appends it to the audit trail. Returns false, and writes nothing,
    /// if another writer has changed the state since the one before it was read.
    ///
    /// # Errors
    /// A failed write.
    pub async fn write_control(&self, id: &CommandId, control: &Control) -> Result<bool, Error> {
        const OPERATION: &str = "writing the control state of a command";
        let mut update = Update::default();
        update.if_exists("pk");
        match control.generation {
            0 | 1 => update.if_absent("control_generation"),
            generation => update.if_compares("control_generation", "=", number(generation - 1)),
        }
        for attribute in ["control_force", "control_reason", "control_why"] {
            update.remove(attribute);
        }
        for (attribute, value) in control_attributes(control) {
            update.unremove(attribute);
            update.set(attribute, value);
        }
        if let Some(entry) = control.audit_entry() {
            update.append("audit", text(entry.to_stored()));
        }
        self.update(OPERATION, id, update).await
    }

    /// Writes a change of the rate, and appends it to the audit trail. Returns false, and writes nothing, if another
    /// writer has changed the rate since the rollout before it was read.
    ///
    /// # Errors
    /// A failed write.
    pub async fn write_rate(&self, id: &CommandId, change: &RateChange) -> Result<bool, Error> {
        let mut update = Update::default();
        update.if_exists("pk");
        match change.rollout.rate_changes() {
            0 | 1 => update.if_absent("rate_changes"),
            changes => update.if_compares("rate_changes", "=", number(changes - 1)),
        }
        for (attribute, value) in changed_rate_attributes(&change.rollout) {
            update.set(attribute, value);
        }
        update.append("audit", text(change.entry.to_stored()));
        self.update("writing the rate of a command", id, update).await
    }

    /// Updates a command. Returns false, and writes nothing, if the condition of the update does not hold.
    async fn update(&self, operation: &'static str, id: &CommandId, update: Update) -> Result<bool, Error> {
        let written = update.write(&self.client, &self.table, command_key(id)).await;
        written.map_err(|error| Error::sdk(operation, id, error))
    }

    /// Reads a command, with every write that was answered before.
    ///
    /// # Errors
    /// A failed read, or a command that can't be read.
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
            .map_err(|error| Error::unreadable(OPERATION, id, error))
    }
}

/// The item because of which a put was not applied.
fn existing(error: &PutItemError) -> Option<Item> {
    match error {
        PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
        _ => None,
    }
}
