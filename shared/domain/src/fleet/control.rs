//! Whether a fleet command goes on: what an operator, or its own criteria, made of it.

use crate::{By, Reason, Timestamp};

/// Whether it goes on, since when, and who said so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Control {
    /// Whether it goes on.
    pub state: ControlState,
    /// How often that has changed: whoever goes through its batches knows by this for which change.
    pub generation: u32,
    /// Since when; none if it was never changed.
    pub at: Option<Timestamp>,
    /// By whom.
    pub by: Option<By>,
    /// Why, for people.
    pub why: Option<String>,
}

/// Whether it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ControlState {
    /// It does.
    #[default]
    Running,
    /// Nothing more goes out until it is resumed.
    Paused,
    /// It was called off.
    Canceled {
        /// What runs already too.
        force: bool,
        /// Why its executions end: [`Reason::CanceledByOperator`] or [`Reason::AbortCriteria`].
        reason: Reason,
    },
}

/// Why it can't be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotControlled {
    /// It is so already.
    #[error("it is so already")]
    Already,
    /// It was called off.
    #[error("it has been canceled")]
    Canceled,
    /// It does not wait.
    #[error("it is not paused")]
    NotPaused,
}

impl Control {
    /// What is changed to this, if it can be.
    pub fn to(&self, state: ControlState, at: Timestamp, by: By, why: Option<String>) -> Result<Self, NotControlled> {
        use ControlState::{Canceled, Paused, Running};
        match (self.state, state) {
            (Running, Running) => return Err(NotControlled::NotPaused),
            (Paused, Paused) => return Err(NotControlled::Already),
            // What runs may be called off afterwards, but nothing be taken back.
            (Canceled { force: false, .. }, Canceled { force: true, .. }) => {}
            (Canceled { .. }, Canceled { .. }) => return Err(NotControlled::Already),
            (Canceled { .. }, _) => return Err(NotControlled::Canceled),
            _ => {}
        }
        Ok(Self { state, generation: self.generation.saturating_add(1), at: Some(at), by: Some(by), why })
    }

    /// Whether it was called off.
    pub fn is_canceled(&self) -> bool {
        matches!(self.state, ControlState::Canceled { .. })
    }
}

impl ControlState {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Canceled { .. } => "CANCELED",
        }
    }
}
