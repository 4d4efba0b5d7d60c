//! Tests of event source mappings of table streams.

use super::*;

fn streamed(table: &str, event: &str) -> Result<Vec<StreamSource>, TemplateError> {
    let text = format!(
        r#"
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{{AttributeName: pk, AttributeType: S}}]
      KeySchema: [{{AttributeName: pk, KeyType: HASH}}]
      {table}
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: hoist-Q}}}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: f}}}}
    Properties:
      Events:
        Take:
          Type: DynamoDB
          Properties: {{Stream: !GetAtt T.StreamArn, {event}}}
"#
    );
    with(&text, &[]).map(|template| template.stream_sources)
}

const STREAM: &str = "StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}";

#[test]
fn a_stream_mapping_is_read_with_its_properties() {
    let expected = StreamSource {
        stream_arn: "arn:aws:dynamodb:eu-west-1:000000000000:table/hoist-T/stream/1970-01-01T00:00:00.000".into(),
        function_arn: "arn:aws:lambda:eu-west-1:000000000000:function:hoist-F".into(),
        from_the_oldest: true,
        batch_size: 100,
        window_s: 0,
        retries: None,
        record_age_s: None,
        bisect: false,
        parallel: 1,
        tumbling_s: None,
        partial_failures: false,
        on_failure: None,
        filters: Vec::new(),
    };
    assert_eq!(streamed(STREAM, "StartingPosition: TRIM_HORIZON").expect("read"), std::slice::from_ref(&expected));
    let unbounded = "StartingPosition: TRIM_HORIZON, MaximumRetryAttempts: -1, MaximumRecordAgeInSeconds: '-1'";
    assert_eq!(streamed(STREAM, unbounded).expect("read"), std::slice::from_ref(&expected));
    assert_eq!(streamed(STREAM, "StartingPosition: LATEST, Enabled: false").expect("read"), []);
    let aggregated = StreamSource { tumbling_s: Some(900), ..expected.clone() };
    let window = "StartingPosition: TRIM_HORIZON, TumblingWindowInSeconds: 900";
    assert_eq!(streamed(STREAM, window).expect("read"), [aggregated]);
    let event = r#"StartingPosition: LATEST, BatchSize: 10000, MaximumBatchingWindowInSeconds: 300, MaximumRetryAttempts: 10000,
        MaximumRecordAgeInSeconds: 604800, BisectBatchOnFunctionError: true, ParallelizationFactor: 10,
        FunctionResponseTypes: [ReportBatchItemFailures],
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Q.Arn}},
        FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}"#;
    let everything = StreamSource {
        from_the_oldest: false,
        batch_size: 10_000,
        window_s: 300,
        retries: Some(10_000),
        record_age_s: Some(604_800),
        bisect: true,
        parallel: 10,
        tumbling_s: None,
        partial_failures: true,
        on_failure: Some("arn:aws:sqs:eu-west-1:000000000000:hoist-Q".into()),
        filters: vec![Pattern::parse(r#"{"eventName": ["INSERT"]}"#).expect("a pattern")],
        ..expected
    };
    assert_eq!(streamed(STREAM, event).expect("read"), [everything]);
}

#[test]
fn a_mapping_that_aws_rejects_is_rejected() {
    let at = "Resources.F.Properties.Events.Take.Properties";
    for (event, expected) in [
        ("BatchSize: 5", ": StartingPosition is required"),
        ("StartingPosition: AT_TIMESTAMP", ".StartingPosition: AT_TIMESTAMP is not one of TRIM_HORIZON, LATEST"),
        ("BatchSize: 0", ".BatchSize: must be a whole number from 1 to 10000"),
        ("BatchSize: 10001", ".BatchSize: must be a whole number from 1 to 10000"),
        (
            "MaximumBatchingWindowInSeconds: 301",
            ".MaximumBatchingWindowInSeconds: must be a whole number from 0 to 300",
        ),
        ("MaximumRetryAttempts: -2", ".MaximumRetryAttempts: must be -1 (no limit) or a whole number from 0 to 10000"),
        (
            "MaximumRetryAttempts: 10001",
            ".MaximumRetryAttempts: must be -1 (no limit) or a whole number from 0 to 10000",
        ),
        (
            "MaximumRecordAgeInSeconds: 59",
            ".MaximumRecordAgeInSeconds: must be -1 (no limit) or a whole number from 60 to 604800",
        ),
        ("ParallelizationFactor: 11", ".ParallelizationFactor: must be a whole number from 1 to 10"),
        ("BisectBatchOnFunctionError: maybe", ".BisectBatchOnFunctionError: must be true or false"),
        ("FunctionResponseTypes: [Some]", ".FunctionResponseTypes[0]: must be ReportBatchItemFailures"),
        ("TumblingWindowInSeconds: 901", ".TumblingWindowInSeconds: must be a whole number from 0 to 900"),
        (
            "TumblingWindowInSeconds: 5, ParallelizationFactor: 2",
            ".TumblingWindowInSeconds: is not supported by the local stack with a ParallelizationFactor",
        ),
        (
            "DestinationConfig: {OnFailure: {Type: SNS, Destination: x}}",
            ".DestinationConfig.OnFailure.Type: only SQS is supported by the local stack",
        ),
        (
            "DestinationConfig: {OnFailure: {Destination: x}}",
            ".DestinationConfig.OnFailure.Destination: is not the ARN of a queue",
        ),
        ("FilterCriteria: {Filters: [{Pattern: '{}'}]}", ".FilterCriteria.Filters[0].Pattern: the pattern is empty"),
        (
            "FilterCriteria: {Filters: [{}, {}, {}, {}, {}, {}]}",
            ".FilterCriteria.Filters: has 6 filters; the maximum is 5",
        ),
    ] {
        let position = if expected.contains("StartingPosition") { "" } else { "StartingPosition: LATEST, " };
        let error = streamed(STREAM, &format!("{position}{event}")).expect_err(event).to_string();
        assert!(error.starts_with(&format!("{at}{expected}")), "{event}: {error}");
    }
    let error = streamed("", "StartingPosition: LATEST").expect_err("no stream").to_string();
    assert_eq!(
        error,
        format!("{at}.Stream: is not the stream of a table of this template that has a StreamSpecification")
    );
    let error =
        streamed("StreamSpecification: {StreamViewType: ALL}", "StartingPosition: LATEST").expect_err("no view");
    assert_eq!(
        error.to_string(),
        "Resources.T.Properties.StreamSpecification.StreamViewType: ALL is not one of KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES"
    );
}
