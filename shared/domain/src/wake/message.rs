//! Wakes as the bodies of messages: an object of JSON, told apart by its `kind`.

use serde::{Deserialize, Serialize};

use super::{ShardRun, Wake, early::Entry};
use crate::execution::key::Key;
use crate::ids::{BatchNumber, CommandId, ExecutionId, IdError};
use crate::names::{NameError, ThingName};
use crate::timestamp::Timestamp;

/// Why the body of a message is no wake.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// The body is not one of the objects.
    #[error("the message is no wake")]
    Json(#[from] serde_json::Error),
    /// The id is not one of an execution or of a command.
    #[error("the id of a wake is not valid")]
    Id(#[from] IdError),
    /// The name is not one of a thing.
    #[error("the thing of a wake is not valid")]
    Thing(#[from] NameError),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Body {
    Execution {
        thing: String,
        id: String,
        due: i64,
        at: i64,
    },
    Second {
        shard: u8,
        at: i64,
    },
    #[serde(rename_all = "camelCase")]
    Early {
        shard: u8,
        first: (i64, u16),
        last: (i64, u16),
        at_millis: i64,
    },
    #[serde(rename_all = "camelCase")]
    LookAhead {
        at_millis: i64,
        until_millis: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_first: bool,
    },
    #[serde(rename_all = "camelCase")]
    Run {
        shard: u8,
        from: i64,
        at_millis: i64,
        lease: String,
        hops: u8,
    },
    Fleet {
        shard: u8,
        at: i64,
    },
    Batch {
        command: String,
        number: BatchNumber,
        at: i64,
    },
    #[serde(rename_all = "camelCase")]
    Step {
        command: String,
        at_millis: i64,
    },
}

impl Wake {
    /// The body of its message.
    pub fn to_message(&self) -> String {
        let body = match self {
            Self::Execution { key, due, at } => Body::Execution {
                thing: key.thing.as_str().to_owned(),
                id: key.id.as_str().to_owned(),
                due: *due,
                at: *at,
            },
            Self::Second { shard, at } => Body::Second { shard: *shard, at: *at },
            Self::Early { shard, first, last, at } => {
                let [first, last] = [first, last].map(|entry| (entry.due, entry.place));
                Body::Early { shard: *shard, first, last, at_millis: at.as_millis() }
            }
            Self::LookAhead { at, until, command, is_first } => Body::LookAhead {
                at_millis: at.as_millis(),
                until_millis: until.as_millis(),
                command: command.as_ref().map(|command| command.as_str().to_owned()),
                is_first: *is_first,
            },
            Self::Run(ShardRun { shard, from, at, lease, hops }) => {
                Body::Run { shard: *shard, from: *from, at_millis: at.as_millis(), lease: lease.clone(), hops: *hops }
            }
            Self::Fleet { shard, at } => Body::Fleet { shard: *shard, at: *at },
            Self::Batch { command, number, at } => {
                Body::Batch { command: command.as_str().to_owned(), number: *number, at: *at }
            }
            Self::Step { command, at } => {
                Body::Step { command: command.as_str().to_owned(), at_millis: at.as_millis() }
            }
        };
        // Texts and numbers always serialize.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// [`WakeError`] if it is no wake.
    pub fn parse(body: &str) -> Result<Self, WakeError> {
        Ok(match serde_json::from_str(body)? {
            Body::Execution { thing, id, due, at } => {
                let key = Key { thing: ThingName::parse(&thing)?, id: ExecutionId::parse(&id)? };
                Self::Execution { key, due, at }
            }
            Body::Second { shard, at } => Self::Second { shard, at },
            Body::Early { shard, first, last, at_millis } => {
                let [first, last] = [first, last].map(|(due, place)| Entry { due, place });
                Self::Early { shard, first, last, at: Timestamp::from_millis(at_millis) }
            }
            Body::LookAhead { at_millis, until_millis, command, is_first } => Self::LookAhead {
                at: Timestamp::from_millis(at_millis),
                until: Timestamp::from_millis(until_millis),
                command: command.as_deref().map(CommandId::parse).transpose()?,
                is_first,
            },
            Body::Run { shard, from, at_millis, lease, hops } => {
                Self::Run(ShardRun { shard, from, at: Timestamp::from_millis(at_millis), lease, hops })
            }
            Body::Fleet { shard, at } => Self::Fleet { shard, at },
            Body::Batch { command, number, at } => Self::Batch { command: CommandId::parse(&command)?, number, at },
            Body::Step { command, at_millis } => {
                Self::Step { command: CommandId::parse(&command)?, at: Timestamp::from_millis(at_millis) }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::fixtures::{CREATED_AT, command, thing};

    #[test]
    fn message_is_read_as_the_wake_that_it_was_written_from() {
        let id = command(Delivery::Direct, None).id;
        let at = CREATED_AT.as_seconds();
        for wake in [
            Wake::Execution { key: Key::of(&id, &thing()), due: at, at: at + 7 },
            Wake::Second { shard: 63, at },
            Wake::Early {
                shard: 63,
                first: Entry { due: at + 60, place: 7 },
                last: Entry { due: at + 61, place: 65_535 },
                at: CREATED_AT,
            },
            Wake::LookAhead { at: CREATED_AT, until: CREATED_AT.plus_seconds(40), command: None, is_first: false },
            Wake::LookAhead {
                at: CREATED_AT,
                until: CREATED_AT.plus_seconds(40),
                command: Some(id.clone()),
                is_first: true,
            },
            Wake::Run(ShardRun { shard: 63, from: at, at: CREATED_AT, lease: "request-1/7".into(), hops: 2 }),
            Wake::Fleet { shard: 3, at },
            Wake::Batch { command: id.clone(), number: 12, at },
            Wake::Step { command: id, at: Timestamp::from_millis(1_700_000_000_123) },
        ] {
            assert_eq!(Wake::parse(&wake.to_message()).unwrap(), wake);
        }
    }

    #[test]
    fn other_bodies_are_refused() {
        for body in [
            "",
            "{}",
            r#"{"kind":"tick","at":1}"#,
            r#"{"kind":"second","shard":-1,"at":1}"#,
            r#"{"kind":"second","shard":1}"#,
            r#"{"kind":"execution","thing":"pump-7","id":"short","due":1,"at":1}"#,
            r##"{"kind":"execution","thing":"#","id":"aaaaaaaaaaaaaaaaaaaaaaaaaa","due":1,"at":1}"##,
        ] {
            assert!(Wake::parse(body).is_err(), "{body}");
        }
    }
}
