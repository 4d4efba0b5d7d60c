//! `Control`: whether a fleet command runs, is paused or is canceled, and which changes of that are allowed.

use crate::actor::Actor;
use crate::command::audit::{AuditAction, AuditEntry};
use crate::status::Reason;
use crate::timestamp::Timestamp;

/// The control state of a fleet command, with its last change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Control {
    /// The current state.
    pub state: ControlState,
    /// How many times the state has changed. The plan and the batches record up to which generation they have acted.
    pub generation: u32,
    /// Time of the last change; none if the state was never changed.
    pub at: Option<Timestamp>,
    /// Actor of the last change.
    pub by: Option<Actor>,
    /// Why the state was changed, as text for the operator: the caller's own words, or the criterion or gate that was
    /// met.
    pub why: Option<String>,
}

/// Whether requests of a fleet command may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ControlState {
    /// Requests are sent as the rollout and the schedule allow.
    #[default]
    Running,
    /// No further request is sent until the command is resumed.
    Paused,
    /// No further request is sent, and the executions are canceled.
    Canceled {
        /// Whether executions that are in progress are canceled too.
        force: bool,
        /// The reason of the canceled executions: [`Reason::CanceledByOperator`] or [`Reason::AbortCriteria`].
        reason: Reason,
    },
}

/// A change of control that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The command is in the requested state.
    #[error("it is in this state already")]
    Already,
    /// The command was canceled, which is final.
    #[error("it has been canceled")]
    Canceled,
    /// A command that runs cannot be resumed.
    #[error("it is not paused")]
    NotPaused,
    /// It was paused and resumed too often.
    #[error("it has been changed {max} times: it can only be canceled", max = Control::MAX_CHANGES)]
    TooMany,
    /// Every execution has ended.
    #[error("it is completed: no execution is left to change")]
    Completed,
}

impl Control {
    /// The most changes of a command's control by operators, and of its rate. The command keeps a record of each, so
    /// their number is limited; a cancel is always possible.
    pub const MAX_CHANGES: u32 = 200;

    /// The control after a change to `state`. `why` is shown to the operator.
    ///
    /// # Errors
    /// The change is not allowed from the current state. The only change of a canceled command is from a cancel without
    /// `force` to one with it.
    pub fn change_to(
        &self,
        state: ControlState,
        at: Timestamp,
        by: Actor,
        why: Option<String>,
    ) -> Result<Self, ControlError> {
        use ControlState::{Canceled, Paused, Running};
        match (self.state, state) {
            (Running, Running) => return Err(ControlError::NotPaused),
            (Paused, Paused) => return Err(ControlError::Already),
            (Canceled { force: false, .. }, Canceled { force: true, .. }) => {}
            (Canceled { .. }, Canceled { .. }) => return Err(ControlError::Already),
            (Canceled { .. }, _) => return Err(ControlError::Canceled),
            _ => {}
        }
        Ok(Self { state, generation: self.generation.saturating_add(1), at: Some(at), by: Some(by), why })
    }

    /// The last change as the audit trail records it; none if the state was never changed.
    pub fn audit_entry(&self) -> Option<AuditEntry> {
        let action = match self.state {
            ControlState::Running => AuditAction::Resumed,
            ControlState::Paused => AuditAction::Paused,
            ControlState::Canceled { force, .. } => AuditAction::Canceled { force },
        };
        Some(AuditEntry { at: self.at?, action, by: self.by.clone()?, why: self.why.clone() })
    }

    /// Whether requests may be sent.
    pub fn is_running(&self) -> bool {
        self.state == ControlState::Running
    }

    /// Whether the command waits for a resume.
    pub fn is_paused(&self) -> bool {
        self.state == ControlState::Paused
    }

    /// Whether the command was canceled, with or without `force`.
    pub fn is_canceled(&self) -> bool {
        matches!(self.state, ControlState::Canceled { .. })
    }
}

impl ControlState {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Canceled { .. } => "CANCELED",
        }
    }
}
