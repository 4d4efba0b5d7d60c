//! Processes of functions that call services behind the endpoint, with planned faults.

use std::future::IntoFuture;
use std::time::Duration;

use local_broker::Broker;
use local_clock::Clock;
use local_dynamodb::DynamoDb;
use local_faults::{Delivery, Fault, Faults};
use local_gateway::Services;
use local_journal::{Event, Journal};
use local_lambda::Lambda;
use local_lambda::testing::function;
use local_resources::Table;
use local_shadows::Shadows;
use local_sqs::Sqs;
use serde_json::{Value, json};
use tokio::net::TcpListener;

struct Bench {
    clock: Clock,
    faults: Faults,
    journal: Journal,
    lambda: Lambda,
    shadows: Shadows,
    sqs: Sqs,
    dynamodb: DynamoDb,
}

/// Operation, number of the call, number of the attempt, status and fault.
type Called = (String, u32, u32, Option<u16>, Option<Fault>);

fn table() -> Table {
    Table {
        logical_id: "Counts".into(),
        name: "counts".into(),
        create: json!({
            "TableName": "counts",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        }),
        ttl_attribute: None,
        stream: None,
    }
}

impl Bench {
    /// One function, `f`, and the services that it calls: a table, shadows and a queue.
    async fn new() -> Self {
        let clock = Clock::manual(1_700_000_000_000);
        let (faults, journal) = (Faults::default(), Journal::on(clock.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let mut f = function("f");
        f.added_environment = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", "test")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec!["failed".to_owned()]);
        let start = Lambda::start_with(clock.clone(), vec![f], sqs.clone(), faults.clone(), journal.clone());
        let lambda = start.await.expect("starts");
        let dynamodb = DynamoDb::start(clock.clone(), &[table()], None).await.expect("starts");
        let broker = Broker::new(clock.clone(), None);
        let shadows = Shadows::new(clock.clone(), broker.clone());
        let services = Services {
            dynamodb: dynamodb.router(),
            sqs: sqs.router(),
            lambda: lambda.router(),
            data_plane: local_data_plane::router(clock.clone(), broker, shadows.clone()),
            mqtt: axum::Router::new(),
            registry: axum::Router::new(),
            jobs: axum::Router::new(),
            jobs_data: axum::Router::new(),
            greengrass: axum::Router::new(),
            account: "000000000000".into(),
            about: json!({}),
            faults: faults.clone(),
            journal: journal.clone(),
        };
        tokio::spawn(axum::serve(listener, local_gateway::router(services, None)).into_future());
        Self { clock, faults, journal, lambda, shadows, sqs, dynamodb }
    }

    /// Lets the function make calls: the statuses of all attempts at each call, or the error type of the invoke.
    async fn calls(&self, calls: &[Value]) -> Result<Value, Value> {
        let event = json!({"do": "call", "calls": calls}).to_string();
        let outcome = self.lambda.invoke("f", event.into()).await.expect("accepted");
        let said: Value = serde_json::from_slice(&outcome.payload).expect("JSON");
        if outcome.error.is_none() { Ok(said) } else { Err(said["errorType"].clone()) }
    }

    fn count(&self) -> u64 {
        let request = json!({"TableName": "counts", "Key": {"pk": {"S": "a"}}});
        let request = serde_json::from_value(request).expect("a request");
        let item = self.dynamodb.database().get_item(request).expect("an answer").item;
        let item = serde_json::to_value(item).expect("JSON");
        item["n"]["N"].as_str().map_or(0, |n| n.parse().expect("a number"))
    }

    fn called(&self) -> Vec<Called> {
        let entries = self.journal.entries().into_iter();
        let called = entries.filter_map(|entry| match entry.event {
            Event::Called { operation, nth, attempt, status, fault, .. } => {
                assert_eq!(entry.origin.expect("an origin").function, "f");
                Some((operation, nth, attempt, status, fault))
            }
            _ => None,
        });
        called.collect()
    }
}

/// A call that adds 1 to the counter.
fn add() -> Value {
    json!({"target": "DynamoDB_20120810.UpdateItem", "body": {
        "TableName": "counts", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }})
}

fn shadow() -> Value {
    json!({"path": "/things/pump/shadow", "body": {"state": {"desired": {"on": true}}}})
}

#[tokio::test]
async fn without_a_plan_nothing_fails() {
    let bench = Bench::new().await;
    assert_eq!(bench.calls(&[add(), shadow(), add()]).await, Ok(json!([[200], [200], [200]])));
    assert_eq!(bench.count(), 2);
    let called = bench.called();
    let called: Vec<_> = called.iter().map(|(operation, nth, ..)| (operation.as_str(), *nth)).collect();
    let update = "DynamoDB.UpdateItem";
    assert_eq!(called, [(update, 1), ("IotData.UpdateThingShadow", 2), (update, 3)]);
}

#[tokio::test]
async fn planned_fault_hits_one_attempt_or_every_attempt_at_a_call() {
    let bench = Bench::new().await;
    bench.faults.next("f", 2, Fault::Unavailable);
    assert_eq!(bench.faults.pending(), 1);
    assert_eq!(bench.calls(&[add(), add()]).await, Ok(json!([[200], [500, 200]])));
    assert_eq!((bench.count(), bench.faults.pending()), (2, 0));
    bench.faults.persist("f", 2, Fault::Unavailable);
    assert_eq!(bench.calls(&[add(), add(), add()]).await, Ok(json!([[200], [500, 500], [200]])));
    assert_eq!((bench.count(), bench.faults.pending()), (4, 0));
    bench.faults.persist("f", 1, Fault::Throttle);
    assert_eq!(bench.calls(&[shadow()]).await, Ok(json!([[429, 429]])));
    bench.faults.next("g", 1, Fault::KillBefore);
    assert_eq!(bench.calls(&[add()]).await, Ok(json!([[200]])), "of another function");
}

#[tokio::test]
async fn closure_decides_about_each_attempt() {
    let bench = Bench::new().await;
    bench.faults.plan(|call| {
        let other = call.operation == "DynamoDB.UpdateItem" && call.body.starts_with(b"{");
        (other && call.attempt == 1).then_some(Fault::Throttle)
    });
    let mut retried = add();
    retried["retry"] = json!(true);
    assert_eq!(bench.calls(&[retried, shadow()]).await, Ok(json!([[400, 200], [200]])));
    bench.faults.plan(|call| (call.path == "/things/pump/shadow").then_some(Fault::Conflict));
    assert_eq!(bench.calls(&[add(), shadow()]).await, Ok(json!([[200], [409]])));
    bench.faults.plan(|_| Some(Fault::Conflict));
    assert_eq!(bench.calls(&[add()]).await, Ok(json!([[400]])));
    bench.faults.clear();
    assert_eq!(bench.calls(&[add()]).await, Ok(json!([[200]])));
    assert_eq!((bench.count(), bench.shadows.get("pump", None).expect("a shadow")["version"].as_u64()), (3, Some(1)));
}

#[tokio::test]
async fn stale_token_refuses_a_further_page() {
    let bench = Bench::new().await;
    bench.faults.plan(|call| (call.operation == "Iot.SearchIndex").then_some(Fault::StaleToken));
    let search = |body: Value| json!({"path": "/indices/search", "body": body});
    let calls = [search(json!({"queryString": "*", "nextToken": "x"})), search(json!({"queryString": "*"})), add()];
    // There is no registry behind this gateway.
    assert_eq!(bench.calls(&calls).await, Ok(json!([[400], [404], [200]])));
}

#[tokio::test]
async fn applied_call_without_answer_is_retried() {
    let bench = Bench::new().await;
    bench.faults.next("f", 1, Fault::AppliedThenTimeout);
    assert_eq!(bench.calls(&[add()]).await, Ok(json!([[0, 200]])));
    assert_eq!(bench.count(), 2, "both attempts were applied");
    let update = || "DynamoDB.UpdateItem".to_owned();
    let unanswered = (update(), 1, 1, None, Some(Fault::AppliedThenTimeout));
    assert_eq!(bench.called(), [unanswered, (update(), 1, 2, Some(200), None)]);
}

#[tokio::test]
async fn process_is_killed_before_or_after_a_call_and_replaced() {
    let bench = Bench::new().await;
    bench.faults.next("f", 2, Fault::KillBefore);
    assert_eq!(bench.calls(&[add(), add(), add()]).await, Err(json!("Runtime.ExitError")));
    assert_eq!(bench.count(), 1);
    bench.faults.next("f", 2, Fault::KillAfter);
    assert_eq!(bench.calls(&[add(), add(), add()]).await, Err(json!("Runtime.ExitError")));
    assert_eq!(bench.count(), 3);
    assert_eq!(bench.calls(&[add()]).await, Ok(json!([[200]])));
    assert_eq!(bench.lambda.stats("f").cold_starts, 3);
}

#[tokio::test]
async fn event_of_a_killed_process_is_retried_and_finally_fails() {
    let bench = Bench::new().await;
    let event = json!({"do": "call", "calls": [add(), add()]}).to_string();
    bench.faults.next("f", 2, Fault::KillAfter);
    bench.lambda.invoke_event("f", event.clone().into()).expect("accepted");
    bench.lambda.idle().await;
    assert_eq!(bench.count(), 2);
    bench.clock.advance(Duration::from_secs(60));
    bench.lambda.idle().await;
    assert_eq!(bench.count(), 4);

    bench.faults.plan(|call| (call.nth == 1).then_some(Fault::KillBefore));
    bench.lambda.invoke_event("f", event.into()).expect("accepted");
    for seconds in [0, 60, 120] {
        bench.clock.advance(Duration::from_secs(seconds));
        bench.lambda.idle().await;
    }
    assert_eq!((bench.count(), bench.sqs.peek("failed").len()), (4, 1));
}

#[tokio::test]
async fn only_the_process_that_called_is_killed() {
    let bench = Bench::new().await;
    let gate = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hold = json!({"do": "hold", "port": gate.local_addr().expect("bound").port()}).to_string();
    let lambda = bench.lambda.clone();
    let held = tokio::spawn(async move { lambda.invoke("f", hold.into()).await });
    let (running, _) = gate.accept().await.expect("a function");
    bench.faults.next("f", 1, Fault::KillBefore);
    assert_eq!(bench.calls(&[add()]).await, Err(json!("Runtime.ExitError")));
    drop(running);
    assert_eq!(held.await.expect("ended").expect("accepted").error, None);
}

#[tokio::test]
async fn events_are_delivered_twice_late_or_never() {
    let bench = Bench::new().await;
    let event = || json!({"do": "call", "calls": [add()]}).to_string();
    let run = |delivery: Delivery| {
        bench.faults.events(move |event| if event.function == "f" { delivery } else { Delivery::Never });
        bench.lambda.invoke_event("f", event().into()).expect("accepted");
    };
    run(Delivery::Twice);
    bench.lambda.idle().await;
    assert_eq!(bench.count(), 2);
    let ids = bench.journal.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Began { invoke, .. } => Some(invoke),
        _ => None,
    });
    assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), 1, "one event has one id");

    run(Delivery::After(Duration::from_secs(30)));
    run(Delivery::Never);
    run(Delivery::Held);
    bench.lambda.idle().await;
    assert_eq!(bench.count(), 2);
    bench.clock.advance(Duration::from_secs(30));
    bench.lambda.idle().await;
    assert_eq!((bench.count(), bench.faults.held()), (3, 1));
    assert_eq!(bench.faults.release(), 1);
    bench.lambda.idle().await;
    assert_eq!((bench.count(), bench.faults.held()), (4, 0));
}
