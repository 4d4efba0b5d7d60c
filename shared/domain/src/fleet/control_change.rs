//! Whether a fleet command may be paused, resumed or canceled in the state that it has.

use crate::actor::Actor;
use crate::fleet::control::{Control, ControlError, ControlState};
use crate::fleet::state::FleetState;
use crate::timestamp::Timestamp;

impl Control {
    /// The control after a change that an operator asks for, of a command in the state `current`. `why` is the
    /// operator's own text.
    ///
    /// # Errors
    /// See [`Control::change_to`]; [`ControlError::Completed`] if every execution has ended; and
    /// [`ControlError::TooMany`] for a pause or a resume after [`Control::MAX_CHANGES`].
    pub fn change_by_operator(
        &self,
        state: ControlState,
        current: FleetState,
        now: Timestamp,
        by: Actor,
        why: Option<String>,
    ) -> Result<Self, ControlError> {
        let next = self.change_to(state, now, by, why)?;
        match (current, state) {
            (FleetState::Completed, _) => Err(ControlError::Completed),
            (_, ControlState::Running | ControlState::Paused) if self.generation >= Self::MAX_CHANGES => {
                Err(ControlError::TooMany)
            }
            _ => Ok(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::status::Reason;

    #[test]
    fn completed_command_is_not_changed_any_more() {
        let by_operator = |control: &Control, state, current| {
            let changed = control.change_by_operator(state, current, Timestamp::default(), Actor::caller("ada"), None);
            changed.map(|control| control.state)
        };
        let running = Control::default();
        let cancel = ControlState::Canceled { force: false, reason: Reason::CanceledByOperator };
        assert_eq!(by_operator(&running, ControlState::Paused, FleetState::InProgress), Ok(ControlState::Paused));
        for state in [ControlState::Paused, cancel] {
            assert_eq!(by_operator(&running, state, FleetState::Completed), Err(ControlError::Completed));
        }
        let resumed = by_operator(&running, ControlState::Running, FleetState::Completed);
        assert_eq!(resumed, Err(ControlError::NotPaused));
    }

    #[test]
    fn command_that_was_changed_too_often_can_only_be_canceled() {
        let change = |control: &Control, state| {
            let (now, ada) = (Timestamp::default(), Actor::caller("ada"));
            control.change_by_operator(state, FleetState::InProgress, now, ada, None)
        };
        let mut control = Control::default();
        for generation in 0..Control::MAX_CHANGES {
            let state = if generation % 2 == 0 { ControlState::Paused } else { ControlState::Running };
            control = change(&control, state).unwrap();
        }
        assert_eq!(change(&control, ControlState::Paused), Err(ControlError::TooMany));
        for force in [false, true] {
            control = change(&control, ControlState::Canceled { force, reason: Reason::CanceledByOperator }).unwrap();
        }
        assert_eq!(control.generation, Control::MAX_CHANGES + 2);
    }
}
