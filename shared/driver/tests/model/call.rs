//! The calls of the driver as data, and their answers.

use std::sync::Arc;

use calls::{Acknowledgement, Kind, ShadowWriteOutcome};
use domain::{
    Change, Command, CommandId, Effect, Execution, ExecutionId, Key, LaneClaim, LaneName, LaneQueue, Request,
    ShadowName, ShadowUpdate, Timestamp, Topic, Wake,
};

use super::world::Row;

/// A call that has no answer yet. All are about the only thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    ReadExecution(Key),
    ReadExecutions(Vec<Key>),
    WriteExecution(Box<Change>),
    PutExecution(Box<Execution>),
    DeleteExecution(Box<Execution>),
    Waiting {
        now: Timestamp,
        subscribed: bool,
    },
    ReadCommand(CommandId),
    PutCommand(Box<Command>),
    DeleteCommand(CommandId),
    EnterLane(LaneName, ExecutionId),
    ClaimLane(LaneClaim, Timestamp),
    /// Those that leave, each with its position, and the claim that ends.
    LeaveLane(LaneName, Vec<(usize, ExecutionId)>, Option<LaneClaim>),
    ReadLane(LaneName),
    ReadShadow(Option<ShadowName>),
    UpdateShadow(Box<ShadowUpdate>),
    SendDirect(Box<Request>),
    PublishRequest(Box<Request>),
    Publish(Topic, String),
    ConnectedSince,
    Subscriptions,
    SendWake(Box<Wake>),
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The row; none if it does not exist.
    Row(Option<Row>),
    /// A change is written; with the row after it, if the call returns that.
    Applied(Option<Row>),
    /// A row that another writer has left, or had stored before.
    Conflict(Row),
    NotFound,
    /// An item is stored, or deleted, or a message is sent.
    Done,
    Rows(Vec<Row>),
    /// When the command with this index was stored; none if it is not.
    Command(usize, Option<i64>),
    /// The queue, as it was read, or is after the call.
    Queue(LaneQueue),
    QueueConflict(LaneQueue),
    LaneFull,
    /// The claim that a lane has.
    Claim(Option<LaneClaim>),
    Document(Option<Arc<[u8]>>),
    Shadow(ShadowWriteOutcome),
    Acknowledged(Acknowledgement),
    Since(Option<Timestamp>),
    Is(bool),
    /// The call fails.
    Failed(Kind),
}

impl Call {
    /// Whether it reads a table, and changes nothing.
    pub fn is_read_of_table(&self) -> bool {
        matches!(
            self,
            Self::ReadExecution(_)
                | Self::ReadExecutions(_)
                | Self::Waiting { .. }
                | Self::ReadCommand(_)
                | Self::ReadLane(_)
        )
    }

    /// The effect of the change that it writes.
    pub fn effect(&self) -> Option<&Effect> {
        match self {
            Self::WriteExecution(change) => Some(&change.effect),
            _ => None,
        }
    }

    /// Whether its answer may be lost at the SDK, which then repeats it: a write of a table.
    pub fn is_repeated(&self) -> bool {
        matches!(
            self,
            Self::WriteExecution(_)
                | Self::PutExecution(_)
                | Self::EnterLane(..)
                | Self::ClaimLane(..)
                | Self::LeaveLane(..)
        )
    }
}
