//! The identities of a command and of its executions, made so that making them twice makes them once.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::{ThingName, Timestamp};

/// An id that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a command id.
    #[error("a command id is a UUID of 36 characters, in lower case")]
    Command,
    /// Not an execution id.
    #[error("an execution id is 26 characters of a-z and 2-7")]
    Execution,
}

/// Which command: a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(String);

impl CommandId {
    /// The command that this caller means by this idempotency token: the same whenever it is asked for.
    pub fn from_token(caller: &str, token: &str) -> Self {
        let digest = Sha256::new().chain_update(caller).chain_update([0]).chain_update(token).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string())
    }

    /// The command that was asked for by this request, at this time: a UUID of version 7, so that ids sort by time.
    pub fn from_request(at: Timestamp, request_id: &str) -> Self {
        let digest = Sha256::digest(request_id);
        let mut entropy = [0; 10];
        entropy.copy_from_slice(&digest[..10]);
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid().hyphenated().to_string())
    }

    /// The id, if it is one.
    pub fn parse(id: &str) -> Result<Self, IdError> {
        let uuid = uuid::Uuid::try_parse(id).map_err(|_| IdError::Command)?;
        let canonical = uuid.hyphenated().to_string();
        if canonical == id { Ok(Self(canonical)) } else { Err(IdError::Command) }
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which execution of all. It follows from the command and the thing, so a plan that is resumed can't make a second one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(String);

impl ExecutionId {
    const LENGTH: usize = 26;

    /// The execution of this command at this thing.
    pub fn of(command: &CommandId, thing: &ThingName) -> Self {
        let digest =
            Sha256::new().chain_update(command.as_str()).chain_update([0]).chain_update(thing.as_str()).finalize();
        let mut id = BASE32_NOPAD.encode(&digest).to_ascii_lowercase();
        id.truncate(Self::LENGTH);
        Self(id)
    }

    /// The id, if it is one.
    pub fn parse(id: &str) -> Result<Self, IdError> {
        let right = id.len() == Self::LENGTH && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        if right { Ok(Self(id.to_owned())) } else { Err(IdError::Execution) }
    }

    /// The first id that stands by itself somewhere in a text.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| Self::parse(word).ok())
    }

    /// The id as it is written.
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
    fn the_same_token_of_the_same_caller_is_the_same_command() {
        let id = CommandId::from_token("ops", "token-1");
        assert_eq!(id, CommandId::from_token("ops", "token-1"));
        assert_ne!(id, CommandId::from_token("ops", "token-2"));
        assert_ne!(id, CommandId::from_token("other", "token-1"));
        assert_ne!(CommandId::from_token("ab", "c"), CommandId::from_token("a", "bc"));
        assert_eq!(CommandId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn the_same_request_is_the_same_command_and_ids_sort_by_time() {
        let id = CommandId::from_request(NOON, "request-1");
        assert_eq!(id, CommandId::from_request(NOON, "request-1"));
        assert_ne!(id, CommandId::from_request(NOON, "request-2"));
        assert!(id < CommandId::from_request(NOON.plus_seconds(1), "request-1"));
        assert_eq!(id.as_str().as_bytes()[14], b'7');
        assert_eq!(CommandId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn an_execution_follows_from_its_command_and_thing() {
        let command = CommandId::parse("018f0000-0000-7000-8000-000000000000").unwrap();
        let id = ExecutionId::of(&command, &ThingName::parse("pump-7").unwrap());
        // Pinned: another value would orphan every execution that is stored.
        assert_eq!(id.as_str(), PINNED);
        assert_ne!(id, ExecutionId::of(&command, &ThingName::parse("pump-8").unwrap()));
        assert_eq!(ExecutionId::parse(id.as_str()), Ok(id));
    }

    const PINNED: &str = "wzn3r4hcw7qn2jmhxoao5t7d4i";

    #[test]
    fn an_id_is_found_only_where_it_stands_alone() {
        let id = "abcdefghijklmnopqrstuvwxyz";
        assert_eq!(ExecutionId::find(&format!("done {id}.")).unwrap().as_str(), id);
        assert_eq!(ExecutionId::find(&format!("\\\"executionId\\\":\\\"{id}\\\"")).unwrap().as_str(), id);
        assert_eq!(ExecutionId::find(&format!("x{id}")), None);
        assert_eq!(ExecutionId::find(""), None);
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for id in ["", "018F0000-0000-7000-8000-000000000000", "018f000000007000800000000000000", "x", "{}", "../x"] {
            assert_eq!(CommandId::parse(id), Err(IdError::Command), "{id}");
        }
        for id in ["", "abc", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxy1"] {
            assert_eq!(ExecutionId::parse(id), Err(IdError::Execution), "{id}");
        }
    }
}
