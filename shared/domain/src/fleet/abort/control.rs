//! The change of control that follows from the abort criteria and the counts of a fleet command.

use crate::actor::Actor;
use crate::fleet::abort::words::AbortAction;
use crate::fleet::control::{Control, ControlState};
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::Plan;
use crate::fleet::target::Fleet;
use crate::status::Reason;
use crate::timestamp::Timestamp;

impl Fleet {
    /// The control after the abort criteria were applied to these counts; none if no criterion is met, or the command
    /// is paused or canceled already.
    ///
    /// A pause is not returned while a resume is not recorded in the plan: until then the outcomes that had paused the
    /// command still count, and would pause it again.
    pub fn abort_control(
        &self,
        control: &Control,
        plan: Option<&Plan>,
        counts: &Counts,
        by: Actor,
        now: Timestamp,
    ) -> Option<Control> {
        let resumed = plan.map(|plan| plan.resume_point.outcomes).unwrap_or_default();
        let criterion = self.abort.met_criterion_since(&resumed, &counts.outcomes())?;
        let state = match criterion.action() {
            AbortAction::Pause => ControlState::Paused,
            AbortAction::Cancel => ControlState::Canceled { force: false, reason: Reason::AbortCriteria },
        };
        if state == ControlState::Paused && plan.is_some_and(|plan| plan.has_unrecorded_resume(control)) {
            return None;
        }
        control.change_to(state, now, by, Some(criterion.to_string())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::command::row::Command;
    use crate::execution::fixtures::{CREATED_AT, command};
    use crate::fleet::abort::criteria::Abort;
    use crate::fleet::abort::options::CriterionOptions;
    use crate::fleet::counts::contribution::Contribution;
    use crate::fleet::plan::row::ControlPropagation;
    use crate::fleet::rollout::config::Rollout;
    use crate::fleet::schedule::config::Schedule;
    use crate::fleet::selection::Selection;
    use crate::status::{DeliveryStatus, Status};

    /// Criteria that apply to one failed execution.
    fn fleet(action: &str) -> Fleet {
        let options = CriterionOptions {
            failure_type: "FAILED".to_owned(),
            action: action.to_owned(),
            threshold_percentage: 50.0,
            min_number_of_executed_things: 1,
        };
        Fleet {
            selection: Selection::default(),
            rollout: Rollout::default(),
            schedule: Schedule::default(),
            abort: Abort::new(&[options]).unwrap(),
            broadcast: None,
        }
    }

    fn failed(executions: usize) -> Counts {
        let contribution =
            Contribution::Execution { status: Status::Failed, delivery_status: DeliveryStatus::Sent, reason: None };
        let mut counts = Counts::default();
        (0..executions).for_each(|_| counts.fold(None, Some(&contribution)));
        counts
    }

    fn after(fleet: &Fleet, control: &Control, plan: Option<&Plan>, counts: &Counts) -> Option<Control> {
        fleet.abort_control(control, plan, counts, Actor::function("test"), CREATED_AT)
    }

    fn changed(control: &Control, state: ControlState) -> Control {
        control.change_to(state, CREATED_AT, Actor::caller("operator"), None).unwrap()
    }

    #[test]
    fn a_met_criterion_changes_the_control_with_its_text() {
        let running = Control::default();
        let paused = after(&fleet("PAUSE"), &running, None, &failed(1)).unwrap();
        assert_eq!((paused.state, paused.generation), (ControlState::Paused, 1));
        assert_eq!(paused.why.as_deref(), Some("PAUSE at 50.00 % FAILED of 1 things or more"));
        let canceled = after(&fleet("CANCEL"), &running, None, &failed(1)).unwrap();
        assert_eq!(canceled.state, ControlState::Canceled { force: false, reason: Reason::AbortCriteria });
        assert_eq!(after(&fleet("CANCEL"), &running, None, &failed(0)), None);
    }

    #[test]
    fn a_stopped_command_is_changed_only_from_paused_to_canceled() {
        let paused = changed(&Control::default(), ControlState::Paused);
        assert_eq!(after(&fleet("PAUSE"), &paused, None, &failed(1)), None);
        let canceled = after(&fleet("CANCEL"), &paused, None, &failed(1)).unwrap();
        assert!(canceled.is_canceled());
        assert_eq!(after(&fleet("CANCEL"), &canceled, None, &failed(1)), None);
    }

    #[test]
    fn a_resume_is_not_undone_by_outcomes_before_it() {
        let command: Command = command(Delivery::Topic, None);
        let resumed = changed(&changed(&Control::default(), ControlState::Paused), ControlState::Running);
        let propagation = ControlPropagation { generation: 1, next: 0 };
        let plan = Plan { propagation, ..Plan::new(&command, CREATED_AT) };
        assert_eq!(after(&fleet("PAUSE"), &resumed, Some(&plan), &failed(1)), None, "the resume is not recorded");
        assert!(after(&fleet("CANCEL"), &resumed, Some(&plan), &failed(1)).is_some(), "a cancel does not wait");
        let recorded = plan.record_resume(&resumed, &failed(1), CREATED_AT);
        assert_eq!(after(&fleet("PAUSE"), &resumed, Some(&recorded), &failed(1)), None, "counted before the resume");
        assert!(after(&fleet("PAUSE"), &resumed, Some(&recorded), &failed(2)).is_some());
    }
}
