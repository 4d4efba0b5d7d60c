//! A stored item is read back as the value that it was made from, and an item with a wrong attribute is refused.

use domain::{
    Actor, Channel, Command, CommandId, CommandName, Control, CreatorToken, Deadlines, Definition, Delivery, DueShards,
    Execution, Fingerprint, Payload, RequestForm, Target, ThingName, Timestamp,
};

use super::*;

fn command(payload: Option<&str>, heartbeat_seconds: Option<i64>) -> Command {
    let at = Timestamp::from_millis(1_700_000_000_123);
    Command {
        id: CommandId::from_request(at, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: payload.map(|json| Payload::parse(json).unwrap()),
            form: RequestForm::default(),
            target: Target::Thing(ThingName::parse("pump-7").unwrap()),
            delivery: Delivery::Topic,
            shadow: None,
            retry: None,
            lane: None,
            supersede: false,
            deadlines: Deadlines::new(Some(300), None, heartbeat_seconds).unwrap(),
        },
        created_at: at,
        created_by: Actor::caller("arn:aws:iam::000000000000:user/operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
        audit: Vec::new(),
    }
}

fn shards() -> DueShards {
    DueShards::new(64).unwrap()
}

fn created(command: &Command) -> Execution {
    let thing = ThingName::parse("pump-7").unwrap();
    let row = Execution::create(command, &thing, Channel::of(command, None));
    row.stored_by(CreatorToken::new("event", 1), command.created_at)
}

#[test]
fn command_is_read_back() {
    for command in [command(None, None), command(Some(r#"{"b": 1, "a":[null]}"#), Some(30))] {
        assert_eq!(command_from_item(&command_to_item(&command)).unwrap(), command);
    }
}

#[test]
fn new_execution_is_read_back() {
    for command in [command(None, None), command(None, Some(30))] {
        let execution = created(&command);
        let mut read = execution_from_item(&execution_to_item(&execution, shards())).unwrap();
        // DynamoDB's TTL attribute is in whole seconds.
        assert_eq!(read.purge_at.as_seconds(), execution.purge_at.as_seconds());
        read.purge_at = execution.purge_at;
        assert_eq!(read, execution);
    }
}

#[test]
fn new_execution_costs_one_write_unit() {
    let execution = created(&command(None, Some(30)));
    let bytes: usize = execution_to_item(&execution, shards())
        .iter()
        .map(|(name, value)| name.len() + value.as_s().map_or(21, String::len))
        .sum();
    assert!(bytes < 768, "{bytes}");
}

#[test]
fn wrong_or_missing_attribute_is_named() {
    let good = execution_to_item(&created(&command(None, None)), shards());
    for (attribute, value) in [
        ("pk", text("C#pump-7")),
        ("sk", text("E#nothing")),
        ("status", text("SUCCESS")),
        ("progress", text("7")),
        ("progress", number("-7")),
        ("created_at", number("x")),
    ] {
        let mut bad = good.clone();
        bad.insert(attribute.to_owned(), value);
        let error = execution_from_item(&bad).unwrap_err();
        assert_eq!(error.attribute, attribute);
        let mut bad = good.clone();
        bad.remove(attribute);
        assert_eq!(execution_from_item(&bad).unwrap_err().attribute, attribute);
    }
}
