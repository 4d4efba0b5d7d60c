//! Ids of commands, batches and executions. They are derived from their input, so a repeated request gives the same
//! id.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::names::ThingName;
use crate::timestamp::Timestamp;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a command id.
    #[error("a command id is a UUID of 36 characters, in lower case")]
    Command,
    /// The text is not an execution id.
    #[error("an execution id is 26 characters of a-z and 2-7")]
    Execution,
}

/// The id of a command: a UUID in lower case with hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(String);

impl CommandId {
    /// The id of the command that a caller names by an idempotency token: the same for each request with that token.
    pub fn from_token(caller: &str, token: &str) -> Self {
        let digest = Sha256::new().chain_update(caller).chain_update([0]).chain_update(token).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string())
    }

    /// The id of the command that one HTTP request creates: a UUID of version 7, so ids sort by the time of the
    /// request.
    pub fn from_request(at: Timestamp, request_id: &str) -> Self {
        let digest = Sha256::digest(request_id);
        let mut entropy = [0; 10];
        entropy.copy_from_slice(&digest[..10]);
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid().hyphenated().to_string())
    }

    /// Parses an id in its canonical form.
    ///
    /// # Errors
    /// [`IdError::Command`] for any other text, also for a UUID in another notation.
    pub fn parse(id: &str) -> Result<Self, IdError> {
        let uuid = uuid::Uuid::try_parse(id).map_err(|_| IdError::Command)?;
        let canonical = uuid.hyphenated().to_string();
        if canonical == id { Ok(Self(canonical)) } else { Err(IdError::Command) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of one batch of a fleet command, counted from 0.
pub type BatchNumber = u32;

/// The id of an execution. It follows from the command and the thing, so a repeated or resumed request can't create a
/// second execution of one command on one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(String);

impl ExecutionId {
    const LENGTH: usize = 26;

    /// The id of the execution of a command on a thing: the first 26 characters of the base 32 of a SHA-256.
    pub fn of(command: &CommandId, thing: &ThingName) -> Self {
        let digest =
            Sha256::new().chain_update(command.as_str()).chain_update([0]).chain_update(thing.as_str()).finalize();
        let mut id = BASE32_NOPAD.encode(&digest).to_ascii_lowercase();
        id.truncate(Self::LENGTH);
        Self(id)
    }

    /// Parses an id.
    ///
    /// # Errors
    /// [`IdError::Execution`] unless the text is 26 characters of `a-z` and `2-7`.
    pub fn parse(id: &str) -> Result<Self, IdError> {
        let valid = id.len() == Self::LENGTH && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        if valid { Ok(Self(id.to_owned())) } else { Err(IdError::Execution) }
    }

    /// The execution that a device names by this id: its own, or that of its command, which is all that a broadcast
    /// tells the device.
    ///
    /// # Errors
    /// [`IdError::Execution`] if the text is neither.
    pub fn named(id: &str, thing: &ThingName) -> Result<Self, IdError> {
        match CommandId::parse(id) {
            Ok(command) => Ok(Self::of(&command, thing)),
            Err(_) => Self::parse(id),
        }
    }

    /// The first id in a text that has no letter or digit next to it.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| Self::parse(word).ok())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! display {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
display!(CommandId, ExecutionId);

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);

    #[test]
    fn same_token_of_same_caller_gives_same_command_id() {
        let id = CommandId::from_token("ops", "token-1");
        assert_eq!(id, CommandId::from_token("ops", "token-1"));
        assert_ne!(id, CommandId::from_token("ops", "token-2"));
        assert_ne!(id, CommandId::from_token("other", "token-1"));
        assert_ne!(CommandId::from_token("ab", "c"), CommandId::from_token("a", "bc"));
        assert_eq!(CommandId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn same_request_gives_same_command_id_and_ids_sort_by_time() {
        let id = CommandId::from_request(NOON, "request-1");
        assert_eq!(id, CommandId::from_request(NOON, "request-1"));
        assert_ne!(id, CommandId::from_request(NOON, "request-2"));
        assert!(id < CommandId::from_request(NOON.plus_seconds(1), "request-1"));
        assert_eq!(id.as_str().as_bytes()[14], b'7');
        assert_eq!(CommandId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn execution_id_follows_from_command_and_thing() {
        let command = CommandId::parse("018f0000-0000-7000-8000-000000000000").unwrap();
        let id = ExecutionId::of(&command, &ThingName::parse("pump-7").unwrap());
        // A changed derivation would no longer find the executions that are stored.
        assert_eq!(id.as_str(), PINNED);
        assert_ne!(id, ExecutionId::of(&command, &ThingName::parse("pump-8").unwrap()));
        assert_eq!(ExecutionId::parse(id.as_str()), Ok(id));
    }

    const PINNED: &str = "wzn3r4hcw7qn2jmhxoao5t7d4i";

    #[test]
    fn id_is_found_in_a_text_only_between_separators() {
        let id = "abcdefghijklmnopqrstuvwxyz";
        assert_eq!(ExecutionId::find(&format!("done {id}.")).unwrap().as_str(), id);
        assert_eq!(ExecutionId::find(&format!("\\\"executionId\\\":\\\"{id}\\\"")).unwrap().as_str(), id);
        assert_eq!(ExecutionId::find(&format!("x{id}")), None);
        assert_eq!(ExecutionId::find(""), None);
    }

    #[test]
    fn text_of_another_form_is_no_id() {
        for id in ["", "018F0000-0000-7000-8000-000000000000", "018f000000007000800000000000000", "x", "{}", "../x"] {
            assert_eq!(CommandId::parse(id), Err(IdError::Command), "{id}");
        }
        for id in ["", "abc", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxy1"] {
            assert_eq!(ExecutionId::parse(id), Err(IdError::Execution), "{id}");
        }
    }
}
