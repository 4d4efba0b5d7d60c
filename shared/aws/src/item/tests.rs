//! What is written is read back, and what is not ours is refused.

use domain::{
    Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, Fingerprint, Payload, Target, ThingName,
};

use super::*;

fn command(payload: Option<&str>, heartbeat: Option<i64>) -> Command {
    let at = Timestamp::from_millis(1_700_000_000_123);
    Command {
        id: CommandId::from_request(at, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: payload.map(|json| Payload::parse(json).unwrap()),
            target: Target::Thing(ThingName::parse("pump-7").unwrap()),
            delivery: Delivery::Topic,
            shadow: None,
            retry: None,
            lane: None,
            supersede: false,
            deadlines: Deadlines::new(Some(300), None, heartbeat).unwrap(),
        },
        created_at: at,
        created_by: domain::By::caller("arn:aws:iam::000000000000:user/operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
    }
}

fn created(command: &Command) -> domain::Execution {
    let thing = ThingName::parse("pump-7").unwrap();
    domain::Execution::create(command, &thing, domain::Via::of(command, None), 60)
}

#[test]
fn a_command_is_read_as_it_is_written() {
    for command in [command(None, None), command(Some(r#"{"b": 1, "a":[null]}"#), Some(30))] {
        assert_eq!(command_from_item(&command_to_item(&command)).unwrap(), command);
    }
}

#[test]
fn a_new_execution_is_read_as_it_is_written() {
    for command in [command(None, None), command(None, Some(30))] {
        let execution = created(&command);
        let mut read = execution_from_item(&execution_to_item(&execution)).unwrap();
        // DynamoDB's own expiry reads whole seconds.
        assert_eq!(read.purge_at.as_seconds(), execution.purge_at.as_seconds());
        read.purge_at = execution.purge_at;
        assert_eq!(read, execution);
    }
}

#[test]
fn an_execution_costs_one_write_unit() {
    let execution = created(&command(None, Some(30)));
    let bytes: usize = execution_to_item(&execution)
        .iter()
        .map(|(name, value)| name.len() + value.as_s().map_or(21, String::len))
        .sum();
    assert!(bytes < 768, "{bytes}");
}

#[test]
fn what_is_not_ours_is_refused_by_name() {
    let good = execution_to_item(&created(&command(None, None)));
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
