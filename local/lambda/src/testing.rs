//! Scripted function for tests: the test binary itself runs as a Lambda function whose events contain its actions.
//!
//! If the program of a function is the running executable, the host starts it with arguments that select one ignored
//! test. A crate whose tests invoke functions declares that test once:
//!
//! ```ignore
//! #[test]
//! #[ignore = "not a test: the scripted function of other tests"]
//! fn run_scripted_function_process() {
//!     local_lambda::testing::run_scripted_function();
//! }
//! ```
//!
//! This module is not behind a cargo feature: with a feature, the crate and its dependents would be compiled twice, for
//! tests and for programs.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::Function;

/// Arguments that make a test binary run [`run_scripted_function`] only.
pub(super) const ARGUMENTS: [&str; 3] = ["run_scripted_function_process", "--ignored", "--nocapture"];

/// Configuration of the scripted function, see [`run_scripted_function`].
///
/// # Panics
/// The path of the test binary cannot be determined.
pub fn function(name: &str) -> Function {
    Function {
        name: name.to_owned(),
        arn: format!("arn:aws:lambda:eu-west-1:000000000000:function:{name}"),
        program: std::env::current_exe().expect("the test binary"),
        memory_mb: 128,
        timeout: Duration::from_secs(60),
        environment: BTreeMap::new(),
        added_environment: BTreeMap::new(),
        concurrency: Some(2),
        retries: 2,
        event_age: Duration::from_secs(21_600),
        on_failure: Some("arn:aws:sqs:eu-west-1:000000000000:failed".to_owned()),
    }
}

/// Serves invokes through the Runtime API until the host ends the process. Returns immediately in a process that was
/// not started by a host.
///
/// The field `do` of an event is the action: `echo`, `exit`, `hold` (until the test closes the connection to `port`),
/// `fail`, `fail first`, `log`, `large`, `call`, `return`, `describe`, `answer and exit`. In a batch, each record has
/// an action.
///
/// # Panics
/// An event is malformed; the process exits.
pub fn run_scripted_function() {
    let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    match std::env::var("INIT").as_deref() {
        Ok("exit") => std::process::exit(3),
        Ok("error") => drop(call(&api, "POST", "init/error", r#"{"errorType":"Init","errorMessage":"no table"}"#)),
        _ => {}
    }
    let mut failures = 0;
    loop {
        let (headers, event) = call(&api, "GET", "invocation/next", "");
        let id = &headers["lambda-runtime-aws-request-id"];
        let event = serde_json::from_str(&event).expect("an event");
        let (endpoint, answer) = perform(&event, &headers, &mut failures);
        call(&api, "POST", &format!("invocation/{id}/{endpoint}"), &answer);
        if event["do"] == "answer and exit" {
            std::process::exit(0);
        }
    }
}

/// Handles a batch of queue messages or stream records and prints it. The action of a record is the body of its message
/// or the attribute `do` of its new image. `fail` fails the batch; `fail twice` fails it for the first two times;
/// `partial` reports the record as failed; `hold <port>` waits as `hold` does. Otherwise the response is the environment variable `ANSWER`, in which the
/// text `the second` is replaced by the id of the second record.
fn handle_batch(event: &Value, failures: &mut u64) -> (&'static str, String) {
    eprintln!("event: {event}");
    let records = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has_action =
        |record: &Value, action: &str| record["body"] == action || record["dynamodb"]["NewImage"]["do"]["S"] == action;
    let held = records.iter().find_map(|record| record["body"].as_str()?.strip_prefix("hold ")?.parse().ok());
    if let Some(port) = held {
        hold(port);
    }
    let any = |action: &str| records.iter().any(|record| has_action(record, action));
    let fail_again = any("fail twice") && *failures < 2;
    *failures += u64::from(fail_again);
    if any("fail") || fail_again {
        return ("error", json!({ "errorType": "ScriptedError", "errorMessage": "scripted failure" }).to_string());
    }
    let id = |record: &Value| {
        let id = record["messageId"].as_str().or_else(|| record["dynamodb"]["SequenceNumber"].as_str());
        id.unwrap_or_default().to_owned()
    };
    if any("partial") {
        let failed = records.iter().filter(|record| has_action(record, "partial"));
        let failed: Vec<_> = failed.map(|record| json!({ "itemIdentifier": id(record) })).collect();
        return ("response", json!({ "batchItemFailures": failed }).to_string());
    }
    let answer = std::env::var("ANSWER").unwrap_or_else(|_| "null".to_owned());
    ("response", answer.replace("the second", &records.get(1).map(id).unwrap_or_default()))
}

/// Connects to a port of the test, which signals that the function runs; returns when the test closes the connection.
fn hold(port: u16) {
    let mut test = TcpStream::connect(("127.0.0.1", port)).expect("the test listens");
    test.read_to_end(&mut Vec::new()).expect("the test closes the connection");
}

fn perform(event: &Value, headers: &BTreeMap<String, String>, failures: &mut u64) -> (&'static str, String) {
    if event["Records"].is_array() {
        return handle_batch(event, failures);
    }
    match event["do"].as_str().unwrap_or("echo") {
        "exit" => std::process::exit(7),
        "hold" => {
            hold(event["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port"));
            ("response", "\"released\"".to_owned())
        }
        "fail" => ("error", json!({ "errorType": "ScriptedError", "errorMessage": event["text"] }).to_string()),
        "fail first" if event["times"].as_u64().is_some_and(|times| *failures < times) => {
            *failures += 1;
            ("error", "not even json".to_owned())
        }
        "log" => {
            let lines = event["lines"].as_u64().unwrap_or_default();
            (0..lines).for_each(|line| eprintln!("line {line}"));
            ("response", "null".to_owned())
        }
        "large" => ("response", format!("\"{}\"", "x".repeat(7_000_000))),
        "call" => (
            "response",
            json!(event["calls"].as_array().expect("calls").iter().map(call_service).collect::<Vec<_>>()).to_string(),
        ),
        "return" => ("response", event["value"].to_string()),
        "describe" => {
            let environment: BTreeMap<_, _> = std::env::vars().collect();
            ("response", json!({ "headers": headers, "env": environment, "pid": std::process::id() }).to_string())
        }
        _ => ("response", event.to_string()),
    }
}

/// Calls a service as an SDK with two attempts does; returns the status of each attempt, 0 for a broken connection.
fn call_service(call: &Value) -> Vec<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut statuses = vec![attempt(call, id)];
    if matches!(statuses[..], [0 | 429 | 500..]) || call["retry"] == true {
        statuses.push(attempt(call, id));
    }
    statuses
}

fn attempt(call: &Value, id: u32) -> u16 {
    let url = std::env::var("AWS_ENDPOINT_URL").expect("an endpoint");
    let address = url.strip_prefix("http://").expect("HTTP");
    let key = std::env::var("AWS_ACCESS_KEY_ID").expect("a key");
    let (path, body) = (call["path"].as_str().unwrap_or("/"), call["body"].to_string());
    let target = call["target"].as_str().map(|target| format!("x-amz-target: {target}\r\n")).unwrap_or_default();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{target}\
         amz-sdk-invocation-id: {id}\r\nx-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential={key}/20260101/us-east-1/any/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).expect("the endpoint");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    // A broken connection is a result as well.
    let _ = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Calls the Runtime API on a new connection; returns headers and body.
fn call(api: &str, method: &str, path: &str, body: &str) -> (BTreeMap<String, String>, String) {
    let mut stream = TcpStream::connect(api).expect("the Runtime API");
    let length = body.len();
    let head =
        format!("{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {api}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    let mut lines = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        // The host has closed the connection: the function exits.
        if !lines.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            std::process::exit(0);
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => drop(headers.insert(name.to_owned(), value.to_owned())),
            None if line.trim_end().is_empty() => break,
            None => drop(headers.insert("status".to_owned(), line)),
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    lines.read_exact(&mut body).expect("a body");
    (headers, String::from_utf8(body).expect("text"))
}
