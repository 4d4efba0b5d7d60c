//! A whole stack, through its listeners.

use std::path::Path;
use std::sync::Arc;

use local_broker::Message;
use local_template::TemplateError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const TEMPLATE: &str = "
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '${AWS::StackName}-things'
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Failures:
    Type: AWS::SQS::Queue
    Properties: {QueueName: failures}
  Forward:
    Type: AWS::IoT::TopicRule
    Properties:
      RuleName: forward
      TopicRulePayload:
        AwsIotSqlVersion: '2016-03-23'
        Sql: SELECT n FROM 'in/+'
        Actions: [{Republish: {Topic: out, Qos: 1, RoleArn: 'arn:aws:iam::000000000000:role/r'}}]
";

/// A function that receives every change of a table after a batching window of five seconds.
const STREAMED: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '${AWS::StackName}-things'
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  Taker:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: taker}}
    Properties:
      FunctionName: taker
      Events:
        Changes:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Things.StreamArn, StartingPosition: LATEST, MaximumBatchingWindowInSeconds: 5}
";

/// MQTT 3.1.1 CONNECT, client id `a`, clean session.
const CONNECT: [u8; 15] = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'a'];
/// CONNACK, accepted.
const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];

fn config(folder: &Path) -> Config {
    let template = folder.join("template.yaml");
    std::fs::write(&template, TEMPLATE).expect("written");
    Config {
        programs: Programs::Given([].into()),
        ports: Ports { alpn: Some(0), ..Ports::any() },
        clock: Clock::manual(1_700_000_000_000),
        certificates: folder.join("certificates"),
        ..Config::new(template)
    }
}

async fn started(folder: &Path) -> Stack {
    Stack::start(config(folder)).await.expect("starts")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A request to the AWS endpoint.
async fn ask(stack: &Stack, method: &str, path: &str, target: Option<&str>, body: Value) -> (u16, Value) {
    let url = format!("http://{}{path}", stack.addresses.endpoint);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut request = client.request(method.parse().expect("a method"), url).body(body);
    if let Some(target) = target {
        request = request.header("x-amz-target", target);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn scan(stack: &Stack) -> Value {
    let scan = json!({"TableName": "flaghoist-things"});
    ask(stack, "POST", "/", Some("DynamoDB_20120810.Scan"), scan).await.1["Items"].clone()
}

#[tokio::test]
async fn every_service_answers_at_the_endpoint() {
    let folder = folder();
    let stack = started(folder.path()).await;
    let (status, about) = ask(&stack, "GET", "/", None, Value::Null).await;
    assert_eq!((status, &about["tables"]), (200, &json!(["flaghoist-things"])));
    assert_eq!(scan(&stack).await, json!([]));
    let (status, queues) = ask(&stack, "POST", "/", Some("AmazonSQS.ListQueues"), json!({})).await;
    assert_eq!((status, queues["QueueUrls"].as_array().map(Vec::len)), (200, Some(1)), "{queues}");
    let desired = json!({"state": {"desired": {"on": true}}});
    assert_eq!(ask(&stack, "POST", "/things/pump/shadow", None, desired).await.0, 200);
    assert_eq!(ask(&stack, "GET", "/things/pump/shadow", None, Value::Null).await.1["version"], 1);
    assert_eq!(ask(&stack, "POST", "/things/pump", None, json!({})).await.0, 200);
    assert_eq!(ask(&stack, "GET", "/things/pump", None, Value::Null).await.1["thingName"], "pump");
    let (status, endpoint) = ask(&stack, "GET", "/endpoint?endpointType=iot:Data-ATS", None, Value::Null).await;
    assert_eq!((status, endpoint["endpointAddress"].as_str()), (200, Some("localhost")));
    let function = "/2015-03-31/functions/unknown/invocations";
    assert_eq!(ask(&stack, "POST", function, None, json!({})).await.0, 404);
    stack.shutdown().await;
}

#[tokio::test]
async fn published_messages_reach_rules_and_shadows_before_the_stack_settles() {
    let folder = folder();
    let stack = started(folder.path()).await;
    let mut tap = stack.broker.tap();
    stack.broker.publish(Message::new("in/x", r#"{"n": 7, "m": 8}"#)).expect("published");
    let update = r#"{"state": {"desired": {"on": true}}}"#;
    stack.broker.publish(Message::new("$aws/things/pump/shadow/update", update)).expect("published");
    stack.settle().await;
    let mut seen = Vec::new();
    while let Ok(published) = tap.try_recv() {
        seen.push((published.message.topic, String::from_utf8_lossy(&published.message.payload).into_owned()));
    }
    assert!(seen.contains(&("out".into(), r#"{"n":7}"#.into())), "{seen:?}");
    assert!(seen.iter().any(|(topic, _)| topic == "$aws/things/pump/shadow/update/accepted"), "{seen:?}");
    let before = stack.clock.now_ms();
    stack.advance(Duration::from_secs(86_400)).await;
    assert_eq!(stack.clock.now_ms() - before, 86_400_000);
    stack.shutdown().await;
}

#[tokio::test]
async fn table_changes_reach_their_function_even_after_a_restart() {
    let folder = folder();
    let state_dir = Some(folder.path().join("state"));
    let programs = Programs::Given([("taker".to_owned(), std::env::current_exe().expect("a program"))].into());
    let config = Config { state_dir, programs, ..config(folder.path()) };
    std::fs::write(&config.template, STREAMED).expect("written");
    let put = |stack: &Stack, pk: &str| {
        let put = json!({"TableName": "flaghoist-things", "Item": {"pk": {"S": pk}}});
        let url = format!("http://{}/", stack.addresses.endpoint);
        let request = reqwest::Client::builder().no_proxy().build().expect("a client").post(url);
        let request = request.header("x-amz-target", "DynamoDB_20120810.PutItem").body(put.to_string());
        async { assert_eq!(request.send().await.expect("an answer").status(), 200) }
    };
    let seen = |stack: &Stack| {
        let lines = stack.lambda.logs("taker");
        let events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("event: ")?).ok());
        let records = events.flat_map(|event| event["Records"].as_array().expect("records").clone());
        records.map(|record| record["dynamodb"].clone()).collect::<Vec<_>>()
    };
    let stack = Stack::start(config.clone()).await.expect("starts");
    put(&stack, "a").await;
    stack.advance(Duration::from_millis(4_999)).await;
    assert!(seen(&stack).is_empty());
    stack.advance(Duration::from_secs(3_600)).await;
    let first = seen(&stack);
    assert_eq!(first.len(), 1);
    stack.streams.hold("flaghoist-things");
    put(&stack, "b").await;
    stack.settle().await;
    stack.shutdown().await;

    let stack = Stack::start(config).await.expect("starts");
    stack.advance(Duration::from_secs(5)).await;
    let [after] = &seen(&stack)[..] else { panic!("only what was not done with") };
    assert_eq!(after["Keys"]["pk"]["S"], "b");
    put(&stack, "c").await;
    stack.advance(Duration::from_secs(5)).await;
    let number = |record: &Value| record["SequenceNumber"].as_str().expect("a number").to_owned();
    assert!(number(&first[0]) < number(after) && number(after) < number(&seen(&stack)[1]));
    stack.shutdown().await;
}

#[tokio::test]
async fn device_connects_without_tls() {
    let folder = folder();
    let stack = started(folder.path()).await;
    let stream = TcpStream::connect(stack.addresses.mqtt).await.expect("connects");
    assert_eq!(connack(stream).await.as_deref(), Some(&ACCEPTED[..]));
    stack.shutdown().await;
}

#[tokio::test]
async fn device_with_a_registered_certificate_connects_with_tls() {
    let folder = folder();
    let stack = started(folder.path()).await;
    let (status, issued) = ask(&stack, "POST", "/keys-and-certificate?setAsActive=true", None, json!({})).await;
    assert_eq!(status, 200, "{issued}");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let device = Some((text(&issued["certificatePem"]), text(&issued["keyPair"]["PrivateKey"])));
    let stranger = stack.pki.issue("stranger").expect("issued");
    let stranger = Some((stranger.certificate_pem, stranger.private_key_pem));
    let at = stack.addresses;
    let alpn = at.alpn.expect("listens");
    let mqtt = &["x-amzn-mqtt-ca"][..];
    let accepted = Some(ACCEPTED.to_vec());
    for (address, protocols, certificate, answer, case) in [
        (at.mqtts, &[][..], &device, &accepted, "8883"),
        (at.mqtts, mqtt, &device, &accepted, "8883 ignores ALPN"),
        (at.mqtts, &[], &stranger, &None, "an unregistered certificate"),
        (at.mqtts, &[], &None, &None, "no certificate"),
        (alpn, mqtt, &device, &accepted, "443"),
        (alpn, &["mqtt"], &device, &accepted, "443, plain mqtt"),
        (alpn, mqtt, &stranger, &None, "443, an unregistered certificate"),
        (alpn, mqtt, &None, &None, "443, no certificate"),
        (alpn, &["h2"], &device, &None, "443, a protocol that is not offered"),
    ] {
        assert_eq!(&secured_connack(&stack, address, protocols, certificate).await, answer, "{case}");
    }
    for (address, protocols) in [(at.https, &[][..]), (alpn, &["x-amzn-http-ca"]), (alpn, &["http/1.1"]), (alpn, &[])] {
        let mut stream = tls(&stack, address, protocols, &device).await.expect("connects");
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered");
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    }
    stack.shutdown().await;
}

async fn connack(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) -> Option<Vec<u8>> {
    stream.write_all(&CONNECT).await.ok()?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.ok()?;
    Some(answer.to_vec())
}

type Certificate = Option<(String, String)>;

async fn secured_connack(
    stack: &Stack,
    address: std::net::SocketAddr,
    alpn: &[&str],
    certificate: &Certificate,
) -> Option<Vec<u8>> {
    connack(tls(stack, address, alpn, certificate).await.ok()?).await
}

async fn tls(
    stack: &Stack,
    address: std::net::SocketAddr,
    alpn: &[&str],
    certificate: &Certificate,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(stack.pki.ca_pem().as_bytes()).expect("a certificate");
    roots.add(authority).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("versions").with_root_certificates(roots);
    let mut config = match certificate {
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate")];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
            builder.with_client_auth_cert(chain, key).expect("a pair")
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await?;
    connector.connect(ServerName::try_from("localhost").expect("a name"), stream).await
}

#[tokio::test]
async fn state_outlives_the_stack_and_broken_state_is_named() {
    let folder = folder();
    let config = || Config { state_dir: Some(folder.path().join("state")), ..config(folder.path()) };
    let stack = Stack::start(config()).await.expect("starts");
    let put = json!({"TableName": "flaghoist-things", "Item": {"pk": {"S": "pump"}}});
    ask(&stack, "POST", "/", Some("DynamoDB_20120810.PutItem"), put).await;
    ask(&stack, "POST", "/things/pump", None, json!({})).await;
    ask(&stack, "POST", "/things/pump/shadow", None, json!({"state": {"desired": {"on": true}}})).await;
    let retained = Message { retain: true, ..Message::new("kept", "x") };
    stack.broker.publish(retained).expect("published");
    let update = Message::new("$aws/things/pump/shadow/update", r#"{"state":{"reported":{"on":true}}}"#);
    stack.broker.publish(update).expect("published");
    let queue = stack.template.queues.first().expect("a queue").name.clone();
    assert!(stack.sqs.send(&queue, "failed".into()));
    stack.shutdown().await;

    let stack = Stack::start(config()).await.expect("starts again");
    assert_eq!(scan(&stack).await, json!([{"pk": {"S": "pump"}}]));
    assert_eq!(ask(&stack, "GET", "/things/pump", None, Value::Null).await.0, 200);
    assert_eq!(ask(&stack, "GET", "/things/pump/shadow", None, Value::Null).await.1["version"], 2);
    assert_eq!(stack.sqs.peek(&queue), ["failed"]);
    assert_eq!(stack.broker.retained("kept").map(|(message, _)| message.payload), Some("x".into()));
    stack.shutdown().await;

    for broken in ["{\"half", "[]", "{\"things\": 7}"] {
        std::fs::write(folder.path().join("state/shadows.json"), broken).expect("written");
        let error = Stack::start(config()).await.err().expect("refused").to_string();
        assert!(error.contains("shadows.json"), "{broken}: {error}");
    }
}

#[tokio::test]
async fn unsigned_requests_are_refused_with_authorize() {
    let folder = folder();
    let stack = Stack::start(Config { authorize: true, ..config(folder.path()) }).await.expect("starts");
    assert_eq!(ask(&stack, "GET", "/things/pump/shadow", None, Value::Null).await.0, 403);
    let (status, answer) = ask(&stack, "POST", "/", Some("DynamoDB_20120810.ListTables"), json!({})).await;
    assert_eq!((status, answer["__type"].as_str()), (403, Some("MissingAuthenticationTokenException")));
    stack.shutdown().await;
}

#[tokio::test]
async fn errors_at_the_start_name_their_cause() {
    let folder = folder();
    let missing = Config { template: folder.path().join("nowhere.yaml"), ..config(folder.path()) };
    let error = Stack::start(missing).await.err().expect("refused");
    assert!(matches!(error, StackError::Template { source: TemplateError::File(_), .. }), "{error}");
    assert_eq!(error.to_string().matches("nowhere.yaml").count(), 1, "{error}");

    let programs = Programs::Folder(folder.path().join("nowhere"));
    let no_folder = Stack::start(Config { programs, ..config(folder.path()) }).await.err().expect("refused");
    assert!(matches!(no_folder, StackError::Functions(_)), "{no_folder}");

    let config = config(folder.path());
    let function = "
  Api:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: command-api}}
    Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}
";
    std::fs::write(&config.template, format!("{TEMPLATE}{function}")).expect("written");
    let error = Stack::start(config).await.err().expect("refused").to_string();
    assert!(error.contains("function Api: there is no binary command-api"), "{error}");
}
