//! A fleet command whose batches are ready, as fan-out-command leaves them in the table: put there by a process of its own, since where AWS
//! is stands in a process's environment.

use aws::Connection;
use domain::{
    Batch, BatchNumber, By, Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, Fingerprint,
    Fleet, Payload, Selection, Target, ThingName, Timestamp, fleet,
};
use serde_json::{Value, json};

pub const COMMANDS: &str = "commands";
/// As many batches as the template has dispatch-commands take at once.
const RECORDS: usize = 10;

fn id() -> CommandId {
    CommandId::from_request(Timestamp::from_seconds(1_700_000_000), "benchmark")
}

/// Stores the command and its batches.
pub async fn seed(things: usize) {
    let connection = Connection::from_env().await;
    let (commands, fleets) = (connection.commands(COMMANDS.to_owned()), connection.fleets(COMMANDS.to_owned()));
    let command = command();
    commands.put_new(&command).await.expect("the command");
    let names: Vec<ThingName> = (0..things).map(|n| ThingName::parse(&super::thing(n)).expect("a name")).collect();
    for (number, names) in (0..).zip(names.chunks(Batch::LARGEST)) {
        let size = u16::try_from(names.len()).expect("at most a hundred");
        fleets.put_things(&command.id, number, names, command.purge_at()).await.expect("its things");
        let batch = Batch::new(&command, number, size, true, command.created_at);
        fleets.put_batch(&batch).await.expect("a batch");
    }
}

/// What the stream of the table says of them, as Lambda hands it over.
pub fn events(things: usize) -> Vec<String> {
    let batches: Vec<BatchNumber> = (0..).take(things.div_ceil(Batch::LARGEST)).collect();
    let record = |number: &BatchNumber| -> Value {
        let keys = json!({"pk": {"S": format!("C#{}#{number}", id())}, "sk": {"S": "BATCH"}});
        json!({"eventSource": "aws:dynamodb", "dynamodb": {"Keys": keys, "SequenceNumber": number.to_string()}})
    };
    let event =
        |batches: &[BatchNumber]| json!({ "Records": batches.iter().map(record).collect::<Vec<_>>() }).to_string();
    batches.chunks(RECORDS).map(event).collect()
}

fn command() -> Command {
    let at = Timestamp::from_seconds(1_700_000_000);
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
            name: CommandName::parse("reboot").expect("a name"),
            payload: Payload::parse(r#"{"delay":5}"#).ok(),
            target: Target::Fleet(Box::new(fleet)),
            delivery: Delivery::Topic,
            shadow: None,
            deadlines: Deadlines::new(None, None, None).expect("the usual ones"),
            retry: None,
            lane: None,
            supersede: false,
        },
        created_at: at,
        created_by: By::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
    }
}
