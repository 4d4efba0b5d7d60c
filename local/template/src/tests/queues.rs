//! Tests of queues and of their event source mappings.

use super::*;

/// A template with a queue and a function that receives from it, with these properties besides the required ones.
fn with_source(queue: &str, event: &str) -> Result<Template, TemplateError> {
    let needed = |properties: &str, name, value| if properties.contains(name) { "" } else { value };
    let hidden = needed(queue, "VisibilityTimeout", "VisibilityTimeout: 60, ");
    let from = needed(event, "Queue", "Queue: !GetAtt Q.Arn, ");
    let text = format!(
        "
Resources:
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: hoist-Q, {hidden}{queue}}}}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: f}}}}
    Properties:
      Timeout: 60
      Events: {{Take: {{Type: SQS, Properties: {{{from}{event}}}}}}}
"
    );
    with(&text, &[])
}

#[test]
fn a_queue_and_its_event_source_mapping_are_read() {
    let template = with_source("DelaySeconds: 5, MessageRetentionPeriod: 120", "Enabled: true").expect("read");
    let Queue { name, visibility_s, delay_s, retention_s } = &template.queues[0];
    assert_eq!((name.as_str(), *visibility_s, *delay_s, *retention_s), ("hoist-Q", 60, 5, 120));
    let source = EventSource {
        queue_arn: "arn:aws:sqs:eu-west-1:000000000000:hoist-Q".into(),
        function_arn: "arn:aws:lambda:eu-west-1:000000000000:function:hoist-F".into(),
        batch_size: 10,
        partial_failures: false,
        max_concurrency: 5,
    };
    assert_eq!(template.event_sources, std::slice::from_ref(&source));
    let event = "BatchSize: 100, MaximumBatchingWindowInSeconds: 1, FunctionResponseTypes: [ReportBatchItemFailures], \
                 ScalingConfig: {MaximumConcurrency: 20}";
    let template = with_source("", event).expect("read");
    let expected = EventSource { batch_size: 100, partial_failures: true, max_concurrency: 20, ..source };
    assert_eq!(template.event_sources, [expected]);
    assert_eq!((template.queues[0].delay_s, template.queues[0].retention_s), (0, 345_600));
    assert!(with_source("", "Enabled: 'false'").expect("read").event_sources.is_empty());
}

#[test]
fn invalid_or_unsupported_queue_properties_are_rejected() {
    for (queue, event, expected) in [
        ("VisibilityTimeout: 59", "", "Take.Properties.Queue: hoist-Q has a VisibilityTimeout of 59 s"),
        ("", "Queue: !GetAtt F.Arn", "Take.Properties.Queue: is not the ARN of a queue"),
        ("", "BatchSize: 0", "Take.Properties.BatchSize: must be a whole number"),
        ("", "ScalingConfig: {MaximumConcurrency: 1}", "MaximumConcurrency: must be a whole number"),
        ("", "BatchSize: 11", "Take.Properties: a BatchSize of more than 10 requires"),
        ("", "FunctionResponseTypes: [Other]", "FunctionResponseTypes[0]: must be ReportBatchItemFailures"),
        ("MessageRetentionPeriod: 59", "", "Resources.Q.Properties.MessageRetentionPeriod: must be"),
        ("DelaySeconds: 901", "", "Resources.Q.Properties.DelaySeconds: must be"),
        (
            "RedrivePolicy: {maxReceiveCount: 5}",
            "",
            "Resources.Q.Properties.RedrivePolicy: is not supported by the local stack",
        ),
        ("FifoQueue: true", "", "Resources.Q.Properties.FifoQueue: is not supported by the local stack"),
    ] {
        let found = with_source(queue, event).expect_err(expected).to_string();
        assert!(found.contains(expected), "{found}\n  should contain\n{expected}");
    }
}
