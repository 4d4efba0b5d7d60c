//! Stores a fleet command whose batches are ready, as fan-out-command does, and makes the events of their stream.
//!
//! A process of its own stores it, because the address of AWS is read from the environment of a process.

use aws::Connection;
use domain::{
    Actor, Batch, BatchNumber, Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, Fingerprint,
    Fleet, Payload, RequestForm, Selection, Target, ThingName, Timestamp, fleet,
};
use serde_json::{Value, json};

pub const COMMANDS: &str = "commands";

/// Batches in one event: the `BatchSize` of dispatch-commands in template.yaml.
const RECORDS_PER_EVENT: usize = 10;

/// Seconds since 1970.
const CREATED_AT: i64 = 1_700_000_000;

fn id() -> CommandId {
    CommandId::from_request(Timestamp::from_seconds(CREATED_AT), "benchmark")
}

/// Stores the command and its batches.
pub async fn seed(things: usize) {
    let connection = Connection::from_env(1).await;
    let (commands, fleets) = (connection.commands(COMMANDS.to_owned()), connection.fleets(COMMANDS.to_owned()));
    let command = command();
    commands.put_new(&command).await.expect("the command is stored");
    let names: Vec<ThingName> =
        (0..things).map(|n| ThingName::parse(&super::thing(n)).expect("the name is valid")).collect();
    for (number, names) in (0..).zip(names.chunks(Batch::MAX_SIZE)) {
        let size = u16::try_from(names.len()).expect("a batch has at most 100 things");
        fleets.put_things(&command.id, number, names, command.purge_at()).await.expect("the names are stored");
        let batch = Batch::new(&command, number, size, true, command.created_at);
        fleets.put_batch(&batch).await.expect("the batch is stored");
    }
}

/// The events that Lambda makes of the stream records of the batches.
pub fn events(things: usize) -> Vec<String> {
    let batches: Vec<BatchNumber> = (0..).take(things.div_ceil(Batch::MAX_SIZE)).collect();
    let record = |number: &BatchNumber| -> Value {
        let keys = json!({"pk": {"S": format!("C#{}#{number}", id())}, "sk": {"S": "BATCH"}});
        json!({"eventSource": "aws:dynamodb", "dynamodb": {"Keys": keys, "SequenceNumber": number.to_string()}})
    };
    let event =
        |batches: &[BatchNumber]| json!({ "Records": batches.iter().map(record).collect::<Vec<_>>() }).to_string();
    batches.chunks(RECORDS_PER_EVENT).map(event).collect()
}

fn command() -> Command {
    let at = Timestamp::from_seconds(CREATED_AT);
    let fleet = Fleet {
        selection: Selection::default(),
        rollout: fleet::Rollout::default(),
        schedule: fleet::Schedule::default(),
        abort: fleet::Abort::default(),
        broadcast: None,
    };
    Command {
        id: id(),
        definition: Definition {
            name: CommandName::parse("reboot").expect("the name is valid"),
            payload: Payload::parse(r#"{"delay":5}"#).ok(),
            form: RequestForm::default(),
            target: Target::Fleet(Box::new(fleet)),
            delivery: Delivery::Topic,
            shadow: None,
            deadlines: Deadlines::new(None, None, None).expect("the default deadlines are valid"),
            retry: None,
            lane: None,
            supersede: false,
        },
        created_at: at,
        created_by: Actor::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
        audit: Vec::new(),
    }
}
