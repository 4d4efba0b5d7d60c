//! The update that delivers a command through a shadow.

use crate::command::request_form::RequestForm;
use crate::command::row::Command;
use crate::execution::row::Execution;
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::route::ShadowRoute;
use crate::messages::shadow::update::ShadowUpdate;
use crate::messages::shadow::{atlas, map, state};
use crate::timestamp::Timestamp;

impl ShadowRoute {
    /// The update that delivers an execution's current attempt at `now`. Writing it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`ShadowError`] if a shadow can't hold the command's payload in this dialect, or its request.
    pub fn delivery_update(
        &self,
        command: &Command,
        execution: &Execution,
        now: Timestamp,
    ) -> Result<ShadowUpdate, ShadowError> {
        if command.definition.form != RequestForm::default() {
            return Err(ShadowError::Message);
        }
        match self {
            Self::Atlas => atlas::delivery_update(command, execution, now),
            Self::Map(shadow) => map::delivery_update(shadow, command, execution),
            Self::State(shadow) => {
                state::delivery_update(shadow.as_ref(), &execution.key, command.definition.payload.as_ref())
            }
        }
    }
}
