//! The least that a dispatch has to do: for each thing a row that was not there, then its request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws::{Connection, Executions, Messages, Put};
use domain::{
    By, Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, Execution, Fingerprint, Payload,
    Request, Target, ThingName, Timestamp, Via,
};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::task::JoinSet;

/// Things that are served at a time. Two calls of 10 ms each: 64 would not leave room for 3,000 a second.
const IN_FLIGHT: usize = 128;

/// The process that is measured.
pub async fn measured(things: usize) {
    let connection = Connection::from_env().await;
    let executions = connection.executions("executions".to_owned());
    let messages = connection.messages();
    let mut told = BufReader::new(tokio::io::stdin()).lines();
    println!("ready");
    wait(&mut told).await;
    serve(things, executions, messages).await;
    println!("done");
    wait(&mut told).await;
}

/// For a line, or for the end.
async fn wait(told: &mut Lines<BufReader<Stdin>>) {
    told.next_line().await.expect("standard input");
}

async fn serve(things: usize, executions: Executions, messages: Messages) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (next, executions, messages) = (next.clone(), executions.clone(), messages.clone());
        workers.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= things {
                    return;
                }
                let thing = ThingName::parse(&super::thing(n)).expect("a name");
                let command = command(&thing);
                let execution = Execution::create(&command, &thing, Via::Topic, 60);
                let request = Request::new(&command, &execution, command.created_at).expect("JSON");
                assert_eq!(executions.put_new(&execution).await.expect("put"), Put::Stored);
                messages.publish_request(&request).await.expect("published");
            }
        });
    }
    workers.join_all().await;
}

fn command(thing: &ThingName) -> Command {
    let at = Timestamp::from_seconds(1_700_000_000);
    Command {
        id: CommandId::from_request(at, "benchmark"),
        definition: Definition {
            name: CommandName::parse("reboot").expect("a name"),
            payload: Payload::parse(r#"{"delay":5}"#).ok(),
            target: Target::Thing(thing.clone()),
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
