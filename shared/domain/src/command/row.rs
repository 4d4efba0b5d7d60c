//! A command as it is stored: its definition, id, creator and control state.

use crate::actor::Actor;
use crate::command::audit::AuditEntry;
use crate::command::deadlines::{Deadlines, RETENTION_SECONDS};
use crate::command::definition::Definition;
use crate::command::fingerprint::Fingerprint;
use crate::execution::key::Key;
use crate::fleet::control::Control;
use crate::ids::CommandId;
use crate::names::ThingName;
use crate::timestamp::Timestamp;

/// A command as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The id.
    pub id: CommandId,
    /// What the caller asked for.
    pub definition: Definition,
    /// When it was created. The deadlines of a command for one thing count from here.
    pub created_at: Timestamp,
    /// The caller who created it.
    pub created_by: Actor,
    /// The hash of the definition: an idempotency token that comes with another definition is refused.
    pub fingerprint: Fingerprint,
    /// Whether it runs, is paused or is canceled; only that of a fleet command changes.
    pub control: Control,
    /// Who paused, resumed, canceled or changed it, in the order of time. Of a command for one thing, its execution has
    /// the record.
    pub audit: Vec<AuditEntry>,
}

impl Command {
    /// The key of its execution on a thing.
    pub fn key_at(&self, thing: &ThingName) -> Key {
        Key::of(&self.id, thing)
    }

    /// The instant at which its ttl ends, counted from its creation.
    pub fn start_by(&self) -> Timestamp {
        self.created_at.plus_seconds(self.definition.deadlines.ttl_seconds())
    }

    /// The instant at which its timeout ends, counted from its creation.
    pub fn finish_by(&self) -> Timestamp {
        self.created_at.plus_seconds(self.definition.deadlines.timeout_seconds())
    }

    /// When DynamoDB may delete it. A fleet command stays 90 days longer, since the last batches of its rollout may
    /// be sent long after its creation.
    pub fn purge_at(&self) -> Timestamp {
        let rollout = if self.definition.target.fleet().is_some() { 3 * Deadlines::MAX_SECONDS } else { 0 };
        self.finish_by().plus_seconds(RETENTION_SECONDS.saturating_add(rollout))
    }
}
