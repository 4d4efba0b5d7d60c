//! Whether the rate of a command may be changed in the state that it has.

use crate::actor::Actor;
use crate::command::audit::{AuditAction, AuditEntry};
use crate::command::row::Command;
use crate::fleet::control::{Control, ControlError};
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::new_rate::NewRate;
use crate::fleet::state::FleetState;
use crate::timestamp::Timestamp;

/// A changed rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateChange {
    /// The rollout with the new rate.
    pub rollout: Rollout,
    /// The record of the change.
    pub entry: AuditEntry,
}

/// Why the rate of a command can't be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateChangeError {
    /// The command is for one thing.
    #[error("a command for one thing is sent at once: it has no rate")]
    OneThing,
    /// The command was created without a rate, stages and a schedule, so its batches don't wait to be released.
    #[error("the command was created to be sent at once, without a rollout and a schedule: it can't be given a rate")]
    Immediate,
    /// The command has ended, or its rate was changed too often.
    #[error(transparent)]
    Control(ControlError),
}

impl Command {
    /// The change of the rate that an operator asks for, of a command in the state `current`; none if it has this rate
    /// already. `why` is the operator's own text.
    ///
    /// # Errors
    /// [`RateChangeError`] if the command has no rollout or has ended, or after [`Control::MAX_CHANGES`].
    pub fn change_rate(
        &self,
        rate: &NewRate,
        current: FleetState,
        now: Timestamp,
        by: Actor,
        why: Option<String>,
    ) -> Result<Option<RateChange>, RateChangeError> {
        let fleet = self.definition.target.fleet().ok_or(RateChangeError::OneThing)?;
        if self.control.is_canceled() {
            return Err(RateChangeError::Control(ControlError::Canceled));
        }
        if current == FleetState::Completed {
            return Err(RateChangeError::Control(ControlError::Completed));
        }
        if fleet.is_immediate() {
            return Err(RateChangeError::Immediate);
        }
        let Some(rollout) = fleet.rollout.change_rate(rate) else { return Ok(None) };
        if fleet.rollout.rate_changes() >= Control::MAX_CHANGES {
            return Err(RateChangeError::Control(ControlError::TooMany));
        }
        let action = AuditAction::Changed(fleet.rollout.rate_difference(&rollout));
        Ok(Some(RateChange { rollout, entry: AuditEntry { at: now, action, by, why } }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::fixtures::{CREATED_AT, command};
    use crate::fleet::abort::criteria::Abort;
    use crate::fleet::control::ControlState;
    use crate::fleet::rollout::options::{CanaryOptions, IncreaseOptions, RateOptions, RolloutOptions};
    use crate::fleet::schedule::config::Schedule;
    use crate::fleet::selection::Selection;
    use crate::fleet::target::{Fleet, Target};
    use crate::status::Reason;

    fn options(maximum: Option<i64>, canary: Option<i64>) -> RolloutOptions {
        let canary = canary.map(|things| CanaryOptions { things, success_percentage: None });
        RolloutOptions { maximum_per_minute: maximum, canary, ..RolloutOptions::default() }
    }

    fn command_with(options: &RolloutOptions) -> Command {
        let (rollout, schedule) = (Rollout::new(options).unwrap(), Schedule::default());
        let fleet =
            Fleet { selection: Selection::default(), rollout, schedule, abort: Abort::default(), broadcast: None };
        let mut command = command(Delivery::Topic, None);
        command.definition.target = Target::Fleet(Box::new(fleet));
        command
    }

    fn change(command: &Command, current: FleetState) -> Result<Option<RateChange>, RateChangeError> {
        let rate = NewRate::new(&options(Some(600), None)).unwrap();
        command.change_rate(&rate, current, CREATED_AT, Actor::caller("ada"), Some("slow".to_owned()))
    }

    #[test]
    fn change_replaces_the_rate_and_keeps_the_stages_and_who_made_it() {
        let running = command_with(&options(Some(60), Some(3)));
        let RateChange { rollout: changed, entry } =
            change(&running, FleetState::InProgress).unwrap().expect("another rate");
        assert_eq!((changed.rate(0, 0), changed.canary().map(|canary| canary.things())), (Some(600), Some(3)));
        let action = AuditAction::Changed("rollout.maximumPerMinute: 60 to 600".to_owned());
        let (by, why) = (Actor::caller("ada"), Some("slow".to_owned()));
        assert_eq!(entry, AuditEntry { at: CREATED_AT, action, by, why });
        assert_eq!(changed.rate_changes(), 1);
        let mut again = running.clone();
        if let Target::Fleet(fleet) = &mut again.definition.target {
            fleet.rollout = changed;
        }
        assert_eq!(change(&again, FleetState::Paused), Ok(None), "it has this rate");
        let without = command_with(&options(None, Some(3)));
        assert!(change(&without, FleetState::Scheduled).unwrap().is_some(), "a canary may get a rate");
    }

    #[test]
    fn only_a_command_that_is_rolled_out_and_has_not_ended_gets_another_rate() {
        let running = command_with(&options(Some(60), None));
        let completed = RateChangeError::Control(ControlError::Completed);
        assert_eq!(change(&running, FleetState::Completed), Err(completed));
        let cancel = ControlState::Canceled { force: false, reason: Reason::CanceledByOperator };
        let control = running.control.change_to(cancel, CREATED_AT, Actor::caller("ada"), None).unwrap();
        let canceled = Command { control, ..running };
        let refused = RateChangeError::Control(ControlError::Canceled);
        assert_eq!(change(&canceled, FleetState::Canceled), Err(refused));
        let immediate = command_with(&RolloutOptions::default());
        assert_eq!(change(&immediate, FleetState::InProgress), Err(RateChangeError::Immediate));
        let mut restless = command_with(&options(Some(60), None));
        if let Target::Fleet(fleet) = &mut restless.definition.target {
            fleet.rollout = fleet.rollout.clone().with_rate_changes(Control::MAX_CHANGES);
        }
        let too_many = RateChangeError::Control(ControlError::TooMany);
        assert_eq!(change(&restless, FleetState::InProgress), Err(too_many));
        let one = command(Delivery::Topic, None);
        assert_eq!(change(&one, FleetState::InProgress), Err(RateChangeError::OneThing));
    }

    #[test]
    fn record_names_what_has_changed() {
        let rate = |per_minute| {
            let criteria = IncreaseOptions { number_of_succeeded_things: Some(1000), ..IncreaseOptions::default() };
            RateOptions { base_rate_per_minute: per_minute, increment_factor: 1.5, rate_increase_criteria: criteria }
        };
        let growing = RolloutOptions { exponential_rate: Some(rate(50)), ..options(Some(600), None) };
        let from = Rollout::new(&options(Some(600), None)).unwrap();
        let to = from.change_rate(&NewRate::new(&growing).unwrap()).unwrap();
        let grows = "rollout.exponentialRate: none to 50 times 1.5 after each 1000 succeeded";
        assert_eq!(from.rate_difference(&to), grows);
        let unlimited = RolloutOptions { maximum_per_minute: None, ..growing };
        let next = from.change_rate(&NewRate::new(&unlimited).unwrap()).unwrap();
        assert_eq!(from.rate_difference(&next), format!("rollout.maximumPerMinute: 600 to none; {grows}"));
    }

    #[test]
    fn change_must_name_a_rate_and_nothing_else() {
        for (options, field) in [
            (options(None, None), "rollout"),
            (options(Some(60), Some(3)), "rollout.canary"),
            (options(Some(0), None), "rollout.maximumPerMinute"),
        ] {
            assert_eq!(NewRate::new(&options).map_err(|error| error.field()), Err(field));
        }
    }
}
