//! `BatchActions`: what the invocation that claimed a batch does with it.

use crate::fleet::batch::row::Batch;
use crate::fleet::control::Control;
use crate::timestamp::Timestamp;

/// What is done with a batch, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchActions {
    /// Its executions are canceled.
    pub cancel_executions: bool,
    /// The generation of the cancel is recorded.
    pub record_cancel: bool,
    /// Its executions are looked at.
    pub monitor: bool,
    /// Its unsent things are sent.
    pub send: bool,
    /// Its unsent things would be sent, but the command is paused.
    pub hold: bool,
}

impl BatchActions {
    /// Whether the names of the things are needed.
    pub fn needs_things(&self) -> bool {
        self.cancel_executions || self.monitor || self.send
    }
}

impl Batch {
    /// What has to be done under this control, which must be read after the batch was claimed. Then a change of control
    /// that was not read finds the batch claimed, marks it ready, and the batch is processed again after the claim.
    ///
    /// `may_have_executions`: [`Batch::may_have_executions`] before the claim.
    pub fn actions(&self, control: &Control, may_have_executions: bool, now: Timestamp) -> BatchActions {
        let cancel = self.needs_cancel(control);
        let is_sendable = !control.is_canceled() && self.has_unsent();
        BatchActions {
            cancel_executions: cancel && may_have_executions,
            record_cancel: cancel,
            monitor: !cancel && self.is_monitor_due(now),
            send: is_sendable && !control.is_paused(),
            hold: is_sendable && control.is_paused(),
        }
    }

    /// Whether its executions must be canceled for the current cancel.
    pub fn needs_cancel(&self, control: &Control) -> bool {
        control.is_canceled() && self.canceled_generation < control.generation
    }
}
