//! Lists of thing names, in the table of commands: the targets of a command by name, and the things of each batch.

use std::collections::BTreeMap;

use calls::PutOutcome;
use domain::{BatchNumber, CommandId, Selection, ThingName, Timestamp};

use crate::{
    error::Error,
    fleets::Fleets,
    item::{batch_of_key, names_from_item, names_to_text, number, page_key, things_key},
};

/// A list of names in the selection of a fleet command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The things that are selected by name.
    Listed,
    /// The things that are excluded by name.
    Excluded,
}

impl List {
    /// The beginning of the sort key of its pages.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Listed => "L",
            Self::Excluded => "X",
        }
    }
}

impl Fleets {
    /// Stores a list of names in pages of [`Selection::PAGE`]. The keys contain the digest of the selection, so a page
    /// that exists already has the same names, and stays.
    ///
    /// # Errors
    /// A failed write.
    pub async fn put_list(
        &self,
        command: &CommandId,
        digest: &str,
        list: List,
        names: &[ThingName],
        purge_at: Timestamp,
    ) -> Result<(), Error> {
        for (page, names) in (0..).zip(names.chunks(Selection::PAGE)) {
            let mut item = page_key(command, list.prefix(), digest, page);
            item.insert("names".to_owned(), names_to_text(names));
            item.insert("purge_at".to_owned(), number(purge_at.as_seconds()));
            self.put_absent("storing a list of names", command, item).await?;
        }
        Ok(())
    }

    /// Reads a page of a list, numbered from 0; empty if it does not exist.
    ///
    /// # Errors
    /// A failed read, or a page that can't be read.
    pub async fn list(
        &self,
        command: &CommandId,
        digest: &str,
        list: List,
        page: u32,
    ) -> Result<Vec<ThingName>, Error> {
        const OPERATION: &str = "reading a list of names";
        let item = self.get(OPERATION, command, page_key(command, list.prefix(), digest, page)).await?;
        let names = item.map(|item| names_from_item(&item)).transpose();
        Ok(names.map_err(|error| Error::unreadable(OPERATION, command, error))?.unwrap_or_default())
    }

    /// Reads the things of a batch; none if they are not stored.
    ///
    /// # Errors
    /// A failed read, or names that can't be read.
    pub async fn things(&self, command: &CommandId, batch: BatchNumber) -> Result<Option<Vec<ThingName>>, Error> {
        const OPERATION: &str = "reading the things of a batch";
        let item = self.get(OPERATION, command, things_key(command, batch)).await?;
        item.map(|item| names_from_item(&item))
            .transpose()
            .map_err(|error| Error::unreadable(OPERATION, command, error))
    }

    /// How many batches [`Self::things_of_all`] reads at once: the limit of BatchGetItem.
    pub const MAX_BATCHES: usize = 100;

    /// Reads the things of these batches, at most [`Self::MAX_BATCHES`], in their order. A batch whose things are not
    /// stored is left out.
    ///
    /// # Errors
    /// A failed read, names that can't be read, or keys that DynamoDB left out of every answer.
    pub async fn things_of_all(
        &self,
        command: &CommandId,
        batches: &[BatchNumber],
    ) -> Result<Vec<(BatchNumber, Vec<ThingName>)>, Error> {
        const OPERATION: &str = "reading the things of batches";
        let keys = batches.iter().map(|&batch| things_key(command, batch)).collect();
        let mut found = BTreeMap::new();
        for item in self.get_all(OPERATION, command, keys).await? {
            let read = batch_of_key(&item).and_then(|(_, batch)| Ok((batch, names_from_item(&item)?)));
            let (batch, names) = read.map_err(|error| Error::unreadable(OPERATION, command, error))?;
            found.insert(batch, names);
        }
        Ok(batches.iter().filter_map(|batch| found.remove_entry(batch)).collect())
    }

    /// Stores the things of a batch, unless things are stored for it.
    ///
    /// # Errors
    /// A failed write, or existing names that can't be read.
    pub async fn put_things(
        &self,
        command: &CommandId,
        batch: BatchNumber,
        things: &[ThingName],
        purge_at: Timestamp,
    ) -> Result<PutOutcome<Vec<ThingName>>, Error> {
        const OPERATION: &str = "storing the things of a batch";
        let mut item = things_key(command, batch);
        item.insert("names".to_owned(), names_to_text(things));
        item.insert("purge_at".to_owned(), number(purge_at.as_seconds()));
        match self.put_absent(OPERATION, command, item).await? {
            None => Ok(PutOutcome::Stored),
            Some(item) => match names_from_item(&item) {
                Ok(names) => Ok(PutOutcome::Exists(Box::new(names))),
                Err(error) => Err(Error::unreadable(OPERATION, command, error)),
            },
        }
    }
}
