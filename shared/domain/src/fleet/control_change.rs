//! Whether a fleet command may be paused, resumed or canceled in the state that it has.

use crate::actor::Actor;
use crate::fleet::control::{Control, ControlError, ControlState};
use crate::fleet::state::FleetState;
use crate::timestamp::Timestamp;

impl Control {
    /// The control after a change that an operator asks for, of a command in the state `current`.
    ///
    /// # Errors
    /// See [`Control::change_to`]; and [`ControlError::Completed`] if every execution has ended.
    pub fn change_by_operator(
        &self,
        state: ControlState,
        current: FleetState,
        now: Timestamp,
        by: Actor,
    ) -> Result<Self, ControlError> {
        let next = self.change_to(state, now, by, None)?;
        if current == FleetState::Completed { Err(ControlError::Completed) } else { Ok(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::status::Reason;

    #[test]
    fn completed_command_is_not_changed_any_more() {
        let by_operator = |control: &Control, state, current| {
            let changed = control.change_by_operator(state, current, Timestamp::default(), Actor::caller("ada"));
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
}
