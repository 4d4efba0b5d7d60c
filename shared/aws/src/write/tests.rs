//! The expressions of changes.

use domain::{
    Actor, Channel, Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, DueShards, Execution,
    Fingerprint, NextAction, Report, RequestForm, Target, ThingName, Timestamp,
};

use super::*;

fn shards() -> DueShards {
    DueShards::new(64).unwrap()
}

fn execution() -> Execution {
    let at = Timestamp::from_seconds(1_700_000_000);
    let thing = ThingName::parse("pump-7").unwrap();
    let command = Command {
        id: CommandId::from_request(at, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            form: RequestForm::default(),
            target: Target::Thing(thing.clone()),
            delivery: Delivery::Auto,
            shadow: None,
            deadlines: Deadlines::new(None, None, None).unwrap(),
            retry: None,
            lane: None,
            supersede: false,
        },
        created_at: at,
        created_by: Actor::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
        audit: Vec::new(),
    };
    Execution::create(&command, &thing, Channel::Direct)
}

fn reported(payload: &str) -> Update {
    let execution = execution();
    let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
    update_for(&report.change(execution.key, Timestamp::from_seconds(1_700_000_001)), shards())
}

#[test]
fn report_creates_no_row_and_never_lowers_progress() {
    let update = reported("RUNNING");
    assert_eq!(
        update.condition(),
        "attribute_exists(#pk) AND #progress < :v0 AND #attempt >= :v1 AND #finish_by > :v2 \
         AND (attribute_exists(#started_at) OR #start_by > :v3) \
         AND (attribute_not_exists(#heartbeat_deadline) OR #heartbeat_deadline > :v4)"
    );
    assert_eq!(
        reported("SUCCEEDED").condition(),
        "attribute_exists(#pk) AND #progress < :v0 AND #attempt >= :v1 AND attribute_not_exists(#finished_at)"
    );
    assert!(!update.expression().contains("#due_"), "{}", update.expression());
}

#[test]
fn final_status_removes_the_due_entry() {
    let update = reported("SUCCEEDED");
    assert!(update.expression().contains("#due_shard, #due_at"), "{}", update.expression());
}

#[test]
fn decision_of_the_cloud_applies_only_to_the_row_that_was_read() {
    let execution = execution();
    let action = execution.next_action(execution.start_by, &Actor::function("reconcile-commands"));
    let NextAction::Write(change) = action else { panic!("nothing is due: {action:?}") };
    let condition = update_for(&change, shards()).condition();
    assert!(
        condition.ends_with("#progress = :v0 AND #due_at = :v1 AND attribute_not_exists(#last_active_at)"),
        "{condition}"
    );
}
