//! Tests of Jobs within a stack: rules receive its events and notifications, and the clock stops at each timer.

use std::path::Path;
use std::time::Duration;

use local_broker::Message;
use local_clock::Clock;
use serde_json::{Value, json};

use crate::stack::{Config, Ports, Programs, Stack};

/// Rules that copy what Jobs publishes.
const COPIED: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Ends:
    Type: AWS::IoT::TopicRule
    Properties:
      RuleName: ends
      TopicRulePayload:
        AwsIotSqlVersion: '2016-03-23'
        Sql: SELECT jobId, status, timestamp FROM '$aws/events/jobExecution/#'
        Actions: [{Republish: {Topic: ends, Qos: 1, RoleArn: 'arn:aws:iam::000000000000:role/r'}}]
  All:
    Type: AWS::IoT::TopicRule
    Properties:
      RuleName: all
      TopicRulePayload:
        AwsIotSqlVersion: '2016-03-23'
        Sql: SELECT topic() AS topic FROM '$aws/things/+/jobs/#'
        Actions: [{Republish: {Topic: all, Qos: 1, RoleArn: 'arn:aws:iam::000000000000:role/r'}}]
"#;

async fn started(folder: &Path, state_dir: Option<&Path>) -> Stack {
    let template = folder.join("template.yaml");
    std::fs::write(&template, COPIED).expect("written");
    let config = Config {
        programs: Programs::Given([].into()),
        ports: Ports::any(),
        clock: Clock::manual(1_700_000_000_000),
        certificates: folder.join("certificates"),
        state_dir: state_dir.map(Path::to_owned),
        ..Config::new(template)
    };
    Stack::start(config).await.expect("starts")
}

async fn ask(stack: &Stack, method: &str, path: &str, body: Value) -> Value {
    let method = method.parse().expect("a method");
    let url = format!("http://{}{path}", stack.addresses.endpoint);
    let answer = reqwest::Client::new().request(method, url).body(body.to_string()).send().await.expect("an answer");
    let (status, body) = (answer.status(), answer.text().await.expect("a body"));
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// Creates a job for the things, whose executions time out after `minutes`.
async fn create(stack: &Stack, id: &str, things: &[&str], minutes: u64) {
    let targets: Vec<String> =
        things.iter().map(|thing| format!("arn:aws:iot:us-east-1:000000000000:thing/{thing}")).collect();
    let timeout = json!({ "inProgressTimeoutInMinutes": minutes });
    let body = json!({ "targets": targets, "document": "{}", "timeoutConfig": timeout });
    ask(stack, "PUT", &format!("/jobs/{id}"), body).await;
}

#[tokio::test]
async fn rules_receive_events_at_their_times_and_no_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let stack = started(folder.path(), None).await;
    stack.registry.add_things("pumps", &["a", "b"]).expect("added");
    ask(
        &stack,
        "PATCH",
        "/event-configurations",
        json!({ "eventConfigurations": { "JOB_EXECUTION": { "Enabled": true } } }),
    )
    .await;
    create(&stack, "late", &["a"], 7).await;
    create(&stack, "early", &["b"], 2).await;
    for thing in ["a", "b"] {
        stack.broker.publish(Message::new(format!("$aws/things/{thing}/jobs/start-next"), "{}")).expect("published");
    }
    let mut tap = stack.broker.tap();
    stack.advance(Duration::from_secs(3600)).await;
    let published: Vec<(String, Value)> = std::iter::from_fn(|| tap.try_recv().ok())
        .map(|published| (published.message.topic, serde_json::from_slice(&published.message.payload).expect("JSON")))
        .collect();
    let on = |wanted: &str| -> Vec<Value> {
        published.iter().filter(|(topic, _)| topic == wanted).map(|(_, body)| body.clone()).collect()
    };
    assert_eq!(
        on("ends"),
        [
            json!({ "jobId": "early", "status": "TIMED_OUT", "timestamp": 1_700_000_120 }),
            json!({ "jobId": "late", "status": "TIMED_OUT", "timestamp": 1_700_000_420 }),
        ]
    );
    let seen: Vec<String> =
        on("all").iter().map(|body| body["topic"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(seen.contains(&"$aws/things/a/jobs/notify".to_owned()), "{seen:?}");
    assert!(!seen.iter().any(|topic| topic.ends_with("accepted")), "{seen:?}");
    stack.shutdown().await;
}

#[tokio::test]
async fn jobs_outlive_the_stack() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let stack = started(folder.path(), Some(&state)).await;
    stack.registry.add_things("pumps", &["a"]).expect("added");
    create(&stack, "j", &["a"], 2).await;
    stack.broker.publish(Message::new("$aws/things/a/jobs/start-next", "{}")).expect("published");
    stack.settle().await;
    stack.shutdown().await;
    let stack = started(folder.path(), Some(&state)).await;
    let status = async || ask(&stack, "GET", "/things/a/jobs/j", json!({})).await["execution"]["status"].clone();
    assert_eq!(status().await, "IN_PROGRESS");
    stack.advance(Duration::from_secs(120)).await;
    assert_eq!(status().await, "TIMED_OUT");
    stack.shutdown().await;
}
