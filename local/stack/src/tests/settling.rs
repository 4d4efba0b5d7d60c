//! Tests of settling: the clock moves only when the work of the present time is done.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use local_clock::Clock;
use local_faults::StreamDelivery;
use local_journal::Event;

use crate::stack::{Config, Ports, Programs, Stack};

/// A function that writes an item once a minute, and a function that receives the table's changes.
const CHAINED: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '${AWS::StackName}-things'
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  Writer:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: taker}}
    Properties:
      FunctionName: writer
      Events:
        Tick:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(1 minute)
            Input: '{"do":"call","calls":[{"target":"DynamoDB_20120810.PutItem","body":{"TableName":"flaghoist-things","Item":{"pk":{"S":"a"}}}}]}'
  Taker:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: taker}}
    Properties:
      FunctionName: taker
      Events:
        Changes:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Things.StreamArn, StartingPosition: LATEST}
"#;

async fn started(folder: &Path) -> Stack {
    let template = folder.join("template.yaml");
    std::fs::write(&template, CHAINED).expect("written");
    let config = Config {
        programs: Programs::Given([("taker".to_owned(), std::env::current_exe().expect("a program"))].into()),
        ports: Ports::any(),
        clock: Clock::manual(1_700_000_000_000),
        certificates: folder.join("certificates"),
        journal: true,
        ..Config::new(template)
    };
    Stack::start(config).await.expect("starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn stack_settles_only_when_attended_clients_have_nothing_in_hand() {
    let folder = tempfile::tempdir().expect("a folder");
    let stack = started(folder.path()).await;
    stack.settle().await;
    let diagnosis = stack.diagnosis();
    assert!(diagnosis.pending().is_empty());
    let in_hand = Arc::new(AtomicUsize::new(2));
    let counted = in_hand.clone();
    stack.attend(Arc::new(move || counted.load(SeqCst)));
    assert!(diagnosis.to_string().contains("the attended clients have 2 things in hand"), "{diagnosis}");
    let too_early = tokio::time::timeout(Duration::from_millis(50), stack.settle()).await;
    assert!(too_early.is_err());
    in_hand.store(0, SeqCst);
    stack.settle().await;
    drop(diagnosis);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_stands_until_a_stream_batch_is_delivered() {
    let folder = tempfile::tempdir().expect("a folder");
    let stack = started(folder.path()).await;
    let start_ms = stack.clock.now_ms();
    // The reader takes long with the batch: the writer has ended before the taker is invoked.
    stack.faults.batches(|_| {
        std::thread::sleep(Duration::from_millis(300));
        StreamDelivery::Once
    });
    stack.advance(Duration::from_secs(300)).await;
    let invokes_of = |name: &str| {
        let invokes = stack.journal.entries().into_iter().filter_map(|entry| match entry.event {
            Event::Began { function, .. } if function == name => Some(entry.at_ms - start_ms),
            _ => None,
        });
        invokes.collect::<Vec<_>>()
    };
    assert_eq!(invokes_of("writer"), [60_000, 120_000, 180_000, 240_000, 300_000]);
    // A write that changes nothing makes no record of the stream.
    assert_eq!(invokes_of("taker"), [60_000], "when the item was written");
    stack.shutdown().await;
}
