//! A scripted function for tests: the test binary itself, which each event tells what to do.
//!
//! A host whose function's program is the running executable itself starts it with arguments that select one ignored
//! test. A crate whose tests invoke functions declares that test once:
//!
//! ```ignore
//! #[test]
//! #[ignore = "not a test: the scripted function of other tests"]
//! fn plays_the_scripted_function() {
//!     local_lambda::testing::play();
//! }
//! ```
//!
//! This module is not behind a cargo feature: with one, the crate and all that link it would be built twice, for the
//! tests and for the programs.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::Function;

/// Arguments with which a test binary runs [`play`] only.
pub(super) const ARGUMENTS: [&str; 3] = ["plays_the_scripted_function", "--ignored", "--nocapture"];

/// A function that does what its events say, see [`play`].
///
/// # Panics
/// The path of the test binary is unknown.
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

/// Speaks the Runtime API until the host ends the process; does nothing in a process that no host has started.
///
/// An event's `do` says what to do: `echo`, `exit`, `hold` (until the test closes the connection to `port`), `hang`,
/// `fail`, `fail first`, `log`, `large`, `call`, `return`, `describe`. Batches of records say it in each record.
///
/// # Panics
/// An event is not as the tests write them; the host sees the process exit.
pub fn play() {
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
        let (how, answer) = act(&event, &headers, &mut failures);
        call(&api, "POST", &format!("invocation/{id}/{how}"), &answer);
        if event["do"] == "answer and exit" {
            std::process::exit(0);
        }
    }
}

/// A batch of messages, or of changes of items, is printed. It fails if a message (an item's `do`) says `fail`, or
/// `fail twice` and that has not happened twice; those that say `partial` are answered as the ones that failed.
/// Otherwise it is answered with what the environment says, where `the second` is the id of the second message.
fn take(event: &Value, failures: &mut u64) -> (&'static str, String) {
    eprintln!("event: {event}");
    let records = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let says = |record: &Value, what: &str| record["body"] == what || record["dynamodb"]["NewImage"]["do"]["S"] == what;
    let any = |what: &str| records.iter().any(|record| says(record, what));
    let again = any("fail twice") && *failures < 2;
    *failures += u64::from(again);
    if any("fail") || again {
        return ("error", json!({ "errorType": "Told", "errorMessage": "told to fail" }).to_string());
    }
    let id = |record: &Value| {
        let id = record["messageId"].as_str().or_else(|| record["dynamodb"]["SequenceNumber"].as_str());
        id.unwrap_or_default().to_owned()
    };
    if any("partial") {
        let failed = records.iter().filter(|record| says(record, "partial"));
        let failed: Vec<_> = failed.map(|record| json!({ "itemIdentifier": id(record) })).collect();
        return ("response", json!({ "batchItemFailures": failed }).to_string());
    }
    let answer = std::env::var("ANSWER").unwrap_or_else(|_| "null".to_owned());
    ("response", answer.replace("the second", &records.get(1).map(id).unwrap_or_default()))
}

fn act(event: &Value, headers: &BTreeMap<String, String>, failures: &mut u64) -> (&'static str, String) {
    if event["Records"].is_array() {
        return take(event, failures);
    }
    match event["do"].as_str().unwrap_or("echo") {
        "exit" => std::process::exit(7),
        // Tells the test that it is running, and goes on when the test hangs up.
        "hold" => {
            let port = event["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
            let mut test = TcpStream::connect(("127.0.0.1", port)).expect("the test listens");
            test.read_to_end(&mut Vec::new()).expect("the test hangs up");
            ("response", "\"released\"".to_owned())
        }
        "hang" => loop {
            std::thread::park();
        },
        "fail" => ("error", json!({ "errorType": "Told", "errorMessage": event["text"] }).to_string()),
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
            json!(event["calls"].as_array().expect("calls").iter().map(ask).collect::<Vec<_>>()).to_string(),
        ),
        "return" => ("response", event["value"].to_string()),
        "describe" => {
            let environment: BTreeMap<_, _> = std::env::vars().collect();
            ("response", json!({ "headers": headers, "env": environment, "pid": std::process::id() }).to_string())
        }
        _ => ("response", event.to_string()),
    }
}

/// Calls a service as an SDK with two attempts does: the status of each, 0 where the connection broke.
fn ask(call: &Value) -> Vec<u16> {
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
    // A connection that breaks is an answer too.
    let _ = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// One call of the Runtime API on a connection of its own.
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
        // The host is gone: so is the function.
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
