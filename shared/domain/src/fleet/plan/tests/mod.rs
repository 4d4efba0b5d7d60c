//! Tests of plans, with the fleet commands that they share.

mod broadcast;
mod next_action;
mod reading;
mod release;

use crate::command::delivery::Delivery;
use crate::command::row::Command;
use crate::execution::fixtures::{CREATED_AT, command};
use crate::fleet::abort::criteria::Abort;
use crate::fleet::abort::options::CriterionOptions;
use crate::fleet::broadcast::Broadcast;
use crate::fleet::control::{Control, ControlState};
use crate::fleet::counts::contribution::Contribution;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::Plan;
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::options::{CanaryOptions, RolloutOptions};
use crate::fleet::schedule::config::Schedule;
use crate::fleet::selection::Selection;
use crate::fleet::target::{Fleet, Target};
use crate::names::GroupName;
use crate::status::{DeliveryStatus, Reason, Status};
use crate::timestamp::Timestamp;

const CANCELED: ControlState = ControlState::Canceled { force: false, reason: Reason::CanceledByOperator };

fn at(seconds: u32) -> Timestamp {
    CREATED_AT.plus_seconds(seconds)
}

/// A fleet of one group, without rollout and schedule.
fn immediate() -> Fleet {
    Fleet {
        selection: Selection::new(&[], vec![GroupName::parse("pumps").unwrap()], None, &[]),
        rollout: Rollout::default(),
        schedule: Schedule::default(),
        abort: Abort::default(),
        broadcast: None,
    }
}

/// A fleet that releases this many things per minute.
fn with_rate(per_minute: i64) -> Fleet {
    let options = RolloutOptions { maximum_per_minute: Some(per_minute), ..RolloutOptions::default() };
    Fleet { rollout: Rollout::new(&options).unwrap(), ..immediate() }
}

/// Criteria that one failed execution meets.
fn with_abort(action: &str) -> Abort {
    let options = CriterionOptions {
        failure_type: "FAILED".to_owned(),
        action: action.to_owned(),
        threshold_percentage: 50.0,
        min_number_of_executed_things: 1,
    };
    Abort::new(&[options]).unwrap()
}

/// A fleet with a canary of this many things.
fn with_canary(things: i64) -> Fleet {
    let canary = Some(CanaryOptions { things, success_percentage: None });
    let options = RolloutOptions { canary, ..RolloutOptions::default() };
    Fleet { rollout: Rollout::new(&options).unwrap(), ..immediate() }
}

/// A fleet that is reached with one message.
fn with_broadcast() -> Fleet {
    let fleet = immediate();
    let broadcast = Broadcast::new(None, &fleet.selection, None, 60, None).unwrap();
    Fleet { broadcast: Some(broadcast), ..fleet }
}

/// A command for the fleet that was created at `at(0)`, with a ttl of 60 s.
fn command_for(fleet: &Fleet) -> Command {
    let mut command = command(Delivery::Topic, None);
    command.definition.target = Target::Fleet(Box::new(fleet.clone()));
    command
}

/// The same, after changes of control.
fn controlled(fleet: &Fleet, states: &[ControlState]) -> Command {
    let command = command_for(fleet);
    let change = |control: Control, state: &ControlState| {
        control.change_to(*state, at(5), command.created_by.clone(), None).unwrap()
    };
    let control = states.iter().fold(Control::default(), change);
    Command { control, ..command }
}

/// A plan whose target is read, with this many things in batches of ten.
fn planned(fleet: &Fleet, things: u64) -> Plan {
    let batches = u32::try_from(things.div_ceil(10)).unwrap();
    Plan { things, batches, complete: true, ..Plan::new(&command_for(fleet), at(0)) }
}

/// Executions with these statuses.
fn counted(statuses: &[Status]) -> Counts {
    let mut counts = Counts::default();
    for &status in statuses {
        let contribution = Contribution::Execution { status, delivery_status: DeliveryStatus::Sent, reason: None };
        counts.fold(None, Some(&contribution));
    }
    counts
}
