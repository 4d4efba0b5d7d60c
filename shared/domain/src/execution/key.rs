//! The key of an execution's row: the thing and the execution id.

use std::fmt;

use crate::ids::{CommandId, ExecutionId};
use crate::names::ThingName;

/// The key of an execution's row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The thing.
    pub thing: ThingName,
    /// The execution id.
    pub id: ExecutionId,
}

impl Key {
    /// The key of the execution of a command on a thing.
    pub fn of(command: &CommandId, thing: &ThingName) -> Self {
        Self { thing: thing.clone(), id: ExecutionId::of(command, thing) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.thing, self.id)
    }
}
