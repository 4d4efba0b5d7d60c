//! Fixture for the tests of the host: a host on a manual clock, and functions that wait for the test.

mod api;
mod events;
mod processes;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::testing::function;
use super::*;

#[test]
#[ignore = "not a test: the scripted function of other tests"]
fn run_scripted_function_process() {
    testing::run_scripted_function();
}

const START_MS: i64 = 1_700_000_000_000;

struct Bench {
    clock: Clock,
    lambda: Lambda,
    sqs: Sqs,
}

impl Bench {
    async fn new(functions: Vec<Function>) -> Self {
        let clock = Clock::manual(START_MS);
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec!["failed".to_owned()]);
        let lambda = Lambda::start(clock.clone(), functions, sqs.clone()).await.expect("started");
        Self { clock, lambda, sqs }
    }

    async fn invoke(&self, event: Value) -> (Value, Option<String>) {
        let outcome = self.lambda.invoke("f", event.to_string().into()).await.expect("accepted");
        (serde_json::from_slice(&outcome.payload).expect("JSON"), outcome.error)
    }

    fn event(&self, event: &Value) {
        self.lambda.invoke_event("f", event.to_string().into()).expect("accepted");
    }

    async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.lambda.idle().await;
    }

    fn invocations(&self) -> u64 {
        self.lambda.stats("f").invocations
    }

    fn failed(&self) -> Vec<Value> {
        let bodies = self.sqs.peek("failed");
        bodies.iter().map(|body| serde_json::from_str(body).expect("JSON")).collect()
    }
}

/// Listener for functions with the action `hold`: each connects and responds when its connection is dropped.
struct Gate(TcpListener);

impl Gate {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn event(&self) -> Value {
        json!({ "do": "hold", "port": self.0.local_addr().expect("bound").port() })
    }

    async fn running(&self) -> TcpStream {
        self.0.accept().await.expect("a function").0
    }
}
