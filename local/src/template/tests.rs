//! Small templates, and what they say.

mod streams;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn place() -> Place {
    Place {
        region: "eu-west-1".into(),
        account: "000000000000".into(),
        stack_name: "hoist".into(),
        endpoint: "http://127.0.0.1:4566".into(),
    }
}

fn with(text: &str, parameters: &[(&str, &str)]) -> Result<Template, TemplateError> {
    let parameters = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Template::parse(text, &parameters, &place())
}

fn read(text: &str) -> Template {
    with(text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    with(text, &[]).expect_err("must be refused").to_string()
}

const FULL: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Days: {Type: Number, Default: 30, MinValue: 1}
  Stage: {Type: String, Default: prod, AllowedValues: [prod, test]}
Mappings:
  Sizes:
    prod: {memory: 256}
    test: {memory: 128}
Conditions:
  IsTest: !Equals [!Ref Stage, test]
  IsProd: !Not [!Condition IsTest]
Globals:
  Function:
    Timeout: 10
    Runtime: provided.al2023
    Environment: {Variables: {TABLE: !Ref Executions, LEVEL: !Ref Stage}}
  HttpApi:
    Auth: {EnableIamAuthorizer: true}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {Auth: {DefaultAuthorizer: AWS_IAM}}
  CommandApi:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: command-api}}
    Properties:
      MemorySize: !FindInMap [Sizes, !Ref Stage, memory]
      Environment: {Variables: {LEVEL: !Sub "debug", ROLE: !GetAtt CommandApiRole.Arn}}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}
      Events:
        Create: {Type: HttpApi, Properties: {Path: /commands, Method: post, ApiId: !Ref Api}}
        Health: {Type: HttpApi, Properties: {Path: /health, Method: GET, ApiId: !Ref Api, Auth: {Authorizer: NONE}}}
        Tick:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(2 minutes)
            Input: '{"at": "<aws.scheduler.scheduled-time>"}'
        Off: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), State: DISABLED}}
  TestOnly:
    Type: AWS::Serverless::Function
    Condition: IsTest
    Metadata: {BuildProperties: {Binary: test-only}}
    Properties: {FunctionName: !Sub "${AWS::StackName}-x", ReservedConcurrentExecutions: 2}
  Failed: {Type: AWS::SQS::Queue}
  Executions:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: due, AttributeType: "N"}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: due
          KeySchema: [{AttributeName: due, KeyType: HASH}]
          Projection: {ProjectionType: KEYS_ONLY}
          ContributorInsightsSpecification: {Enabled: false}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: purge_at, Enabled: true}
  Track:
    Type: AWS::IoT::TopicRule
    Properties:
      TopicRulePayload:
        AwsIotSqlVersion: "2016-03-23"
        Sql: SELECT * FROM 'cmd/+/resp'
        Actions:
          - Lambda: {FunctionArn: !GetAtt CommandApi.Arn}
          - Republish: {RoleArn: !GetAtt RuleRole.Arn, Topic: "$$aws/things/${topic(2)}/shadow/update", Qos: 1}
        ErrorAction: {Sqs: {QueueUrl: !Ref Failed, RoleArn: !GetAtt RuleRole.Arn, UseBase64: false}}
  TrackPermission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref CommandApi
      Principal: iot.amazonaws.com
      SourceArn: !GetAtt Track.Arn
      SourceAccount: !Ref AWS::AccountId
  RuleRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: send
          PolicyDocument: {Alone: {Condition: {a: b}}, Statement: [{Action: "sqs:SendMessage", Resource: !GetAtt Failed.Arn, Condition: {StringEquals: {a: b}}}]}
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/aws/lambda/${CommandApi}", RetentionInDays: !Ref Days}
Outputs:
  Url: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${!x}"}
  Test: {Value: no, Condition: IsTest}
  Queue: {Value: !Ref Failed}
"#;

#[test]
fn functions_start_from_the_globals() {
    let template = read(FULL);
    let [function] = template.functions.as_slice() else { panic!("{:?}", template.functions) };
    assert_eq!(function.name, "hoist-CommandApi");
    assert_eq!(function.arn, "arn:aws:lambda:eu-west-1:000000000000:function:hoist-CommandApi");
    assert_eq!((function.binary.as_str(), function.memory_mb, function.timeout_s), ("command-api", 256, 10));
    let environment = &function.environment;
    assert_eq!(environment["TABLE"], "hoist-Executions");
    assert_eq!(environment["LEVEL"], "debug");
    assert_eq!(environment["ROLE"], "arn:aws:iam::000000000000:role/hoist-CommandApiRole");
    assert_eq!((function.retries, function.event_age_s), (1, 21_600));
    assert_eq!(function.on_failure.as_deref(), Some("arn:aws:sqs:eu-west-1:000000000000:hoist-Failed"));
}

#[test]
fn routes_and_schedules_come_from_events() {
    let template = read(FULL);
    let routes: Vec<_> = template.routes.iter().map(|r| (r.method.as_str(), r.path.as_str(), r.iam)).collect();
    assert_eq!(routes, [("POST", "/commands", true), ("GET", "/health", false)]);
    let [schedule] = template.schedules.as_slice() else { panic!("{:?}", template.schedules) };
    assert_eq!((schedule.name.as_str(), schedule.every_s), ("hoist-CommandApiTick", 120));
    assert_eq!(schedule.input.as_deref(), Some(r#"{"at": "<aws.scheduler.scheduled-time>"}"#));
}

#[test]
fn a_table_is_what_create_table_takes() {
    let template = read(FULL);
    let [table] = template.tables.as_slice() else { panic!("{:?}", template.tables) };
    assert_eq!(table.ttl_attribute.as_deref(), Some("purge_at"));
    assert_eq!(
        table.create,
        json!({
            "TableName": "hoist-Executions",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "due", "AttributeType": "N"},
            ],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": [{
                "IndexName": "due",
                "KeySchema": [{"AttributeName": "due", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        })
    );
}

#[test]
fn a_rule_knows_whether_it_may_invoke() {
    let permitted = |text: &str| match read(text).rules[0].actions[0] {
        Action::Lambda { permitted, .. } => permitted,
        ref other => panic!("{other:?}"),
    };
    assert!(permitted(FULL));
    for needed in ["SourceArn: !GetAtt Track.Arn", "SourceAccount: !Ref AWS::AccountId"] {
        assert!(!permitted(&FULL.replace(needed, "")), "without {needed}");
    }
    assert!(!permitted(&FULL.replace("iot.amazonaws.com", "sns.amazonaws.com")));
    assert!(!permitted(&FULL.replace("SourceArn: !GetAtt Track.Arn", "SourceArn: arn:aws:iot:eu-west-1:0:rule/other")));
}

#[test]
fn a_rule_is_named_in_letters_digits_and_underscores() {
    let rule = read(FULL).rules.remove(0);
    assert_eq!((rule.name.as_str(), rule.sql_version.as_str(), rule.disabled), ("hoist_Track", "2016-03-23", false));
    assert!(
        matches!(&rule.actions[1], Action::Republish { topic, qos: 1, .. } if topic == "$$aws/things/${topic(2)}/shadow/update")
    );
    let Some(Action::Sqs { queue_url, .. }) = rule.error_action else { panic!("{:?}", rule.error_action) };
    assert_eq!(queue_url, "http://127.0.0.1:4566/000000000000/hoist-Failed");
}

#[test]
fn parameters_and_conditions_choose() {
    let template = with(FULL, &[("Stage", "test")]).expect("a template");
    let names: Vec<_> = template.functions.iter().map(|f| (f.name.as_str(), f.memory_mb)).collect();
    assert_eq!(names, [("hoist-CommandApi", 128), ("hoist-x", 128)]);
    assert_eq!(template.outputs["Test"], "no");
    let template = read(FULL);
    assert!(!template.outputs.contains_key("Test"));
    assert_eq!(template.outputs["Url"], "https://api.execute-api.eu-west-1.amazonaws.com/${x}");
    assert_eq!(template.outputs["Queue"], "http://127.0.0.1:4566/000000000000/hoist-Failed");
}

#[test]
fn overrides_are_checked() {
    let refused = |name, value| with(FULL, &[(name, value)]).expect_err("refused").to_string();
    assert_eq!(refused("Stagee", "test"), "Stagee: the template has no such parameter; it has: Days, Stage");
    assert_eq!(refused("Stage", "dev"), "Parameters.Stage: \"dev\" is not allowed; one of prod, test is");
    assert_eq!(refused("Days", "many"), "Parameters.Days: \"many\" is not a number");
    assert_eq!(refused("Days", "0"), "Parameters.Days: 0 is less than MinValue 1");
}

fn output(value: &str) -> Result<String, TemplateError> {
    let text = format!(
        r#"
Parameters: {{List: {{Type: CommaDelimitedList, Default: "a, b"}}}}
Conditions:
  Yes: !And [!Equals [x, x], !Not [!Equals [x, y]]]
  No: !Or [!Equals [x, y], !Not [!Condition Yes]]
Resources:
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: q.fifo}}}}
Outputs:
  O: {{Value: {value}}}
"#
    );
    with(&text, &[]).map(|template| template.outputs["O"].clone())
}

#[test]
fn intrinsic_functions() {
    for (value, expected) in [
        (r#"!Sub "${Q.Arn}|${Q.QueueName}|${AWS::Partition}""#, "arn:aws:sqs:eu-west-1:000000000000:q.fifo|q.fifo|aws"),
        (r#"!Sub ["${a}-${AWS::Region}", {a: !Ref Q}]"#, "http://127.0.0.1:4566/000000000000/q.fifo-eu-west-1"),
        (r#"{"Fn::Sub": "${AWS::AccountId}"}"#, "000000000000"),
        (r#"{"Fn::GetAtt": "Q.QueueName"}"#, "q.fifo"),
        (r#"{"Fn::GetAtt": [Q, QueueName]}"#, "q.fifo"),
        (r#"!Join ["-", [a, 1, !Ref AWS::StackName]]"#, "a-1-hoist"),
        (r#"!Join ["-", !Ref List]"#, "a-b"),
        (r#"!Select [1, !Split [",", "a,b,c"]]"#, "b"),
        (r#"!If [Yes, !If [No, a, b], c]"#, "b"),
        (r#"!Join [",", [a, !Ref AWS::NoValue, b]]"#, "a,b"),
        (r#"!Base64 abc"#, "YWJj"),
    ] {
        assert_eq!(output(value).unwrap_or_else(|e| panic!("{value}: {e}")), expected, "{value}");
    }
}

#[test]
fn what_cannot_be_resolved_says_where() {
    for (value, expected) in [
        ("!Ref Nowhere", "Outputs.O.Value: Nowhere is neither a parameter nor a resource"),
        ("!GetAtt Q.Url", "Outputs.O.Value: Q has no attribute Url that this stack knows"),
        ("!GetAtt W.Arn", "Outputs.O.Value: there is no resource W"),
        ("!If [Maybe, a, b]", "Outputs.O.Value: there is no condition Maybe"),
        ("!FindInMap [A, b, c]", "Outputs.O.Value: there is no Mappings.A.b.c"),
        ("!Select [2, [a, b]]", "Outputs.O.Value: Fn::Select: there is no item 2 in a list of 2"),
        ("!Sub \"a${b\"", "Outputs.O.Value: Fn::Sub: ${b has no closing }"),
        ("!Equals [a, b]", "Outputs.O.Value: Fn::Equals belongs in Conditions; refer to one with !If"),
    ] {
        assert_eq!(output(value).expect_err(value).to_string(), expected, "{value}");
    }
    assert!(output("!ImportValue x").expect_err("refused").to_string().contains("Fn::ImportValue is not supported"));
}

#[test]
fn errors_name_resource_and_property() {
    for (from, to, expected) in [
        (
            "Type: AWS::SQS::Queue",
            "Type: AWS::SNS::Topic",
            "Resources.Failed.Type: the local stack cannot stand in for AWS::SNS::Topic",
        ),
        (
            "rate(2 minutes)",
            "cron(0 * * * ? *)",
            "Resources.CommandApi.Properties.Events.Tick.Properties.ScheduleExpression: only rate(",
        ),
        (
            "Timeout: 10",
            "Timeout: 1000",
            "Resources.CommandApi.Properties.Timeout: must be a whole number from 1 to 900",
        ),
        (
            "Type: HttpApi, Properties: {Path: /commands",
            "Type: Api, Properties: {Path: /commands",
            "Resources.CommandApi.Properties.Events.Create.Type: Api is not stood in for",
        ),
        ("ApiId: !Ref Api}", "ApiId: !Ref Failed}", "Resources.CommandApi.Properties.Events.Create.Properties.ApiId: "),
        (
            "Republish:",
            "Kinesis:",
            "Resources.Track.Properties.TopicRulePayload.Actions[1]: Kinesis is not stood in for",
        ),
        (
            "!GetAtt Failed.Arn}}",
            "!GetAtt Faild.Arn}}",
            "Resources.CommandApi.Properties.EventInvokeConfig.DestinationConfig.OnFailure.Destination: there is no resource Faild",
        ),
        (
            "TABLE: !Ref Executions",
            "TABLE: !Ref TestOnly",
            "Resources.CommandApi.Properties.Environment.Variables.TABLE: TestOnly does not exist: its condition IsTest does not hold",
        ),
        (
            "{BuildMethod: rust-cargolambda, BuildProperties: {Binary: command-api}}",
            "{}",
            "Resources.CommandApi.Metadata: BuildProperties is required",
        ),
    ] {
        let changed = FULL.replace(from, to);
        assert_ne!(changed, FULL, "{from}");
        let found = error(&changed);
        assert!(found.starts_with(expected), "{found}\n  should start with\n{expected}");
    }
}

#[test]
fn circles_are_an_error() {
    let found = error(
        "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt B.QueueName}}\n  \
         B: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.QueueName}}",
    );
    assert!(found.ends_with("refers to itself"), "{found}");
    let found = error("Conditions: {C: !Not [!Condition C]}\nResources: {A: {Type: AWS::SQS::Queue, Condition: C}}");
    assert_eq!(found, "Conditions.C: refers to itself");
}

#[test]
fn what_is_no_template_is_an_error() {
    assert!(error("{").starts_with("not valid YAML: "));
    assert_eq!(error("a: 1"), "template: Resources is required");
    let missing = Template::read(Path::new("/nowhere/template.yaml"), &BTreeMap::new(), &place());
    assert!(missing.expect_err("refused").to_string().starts_with("/nowhere/template.yaml: "));
}

/// A queue and a function that takes from it, with these properties besides those that they need.
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
fn a_queue_and_who_takes_from_it() {
    let template = with_source("DelaySeconds: 5, MessageRetentionPeriod: 120", "Enabled: true").expect("read");
    let Queue { name, visibility_s, delay_s, retention_s } = &template.queues[0];
    assert_eq!((name.as_str(), *visibility_s, *delay_s, *retention_s), ("hoist-Q", 60, 5, 120));
    let source = EventSource {
        queue_arn: "arn:aws:sqs:eu-west-1:000000000000:hoist-Q".into(),
        function_arn: "arn:aws:lambda:eu-west-1:000000000000:function:hoist-F".into(),
        batch_size: 10,
        partial_failures: false,
    };
    assert_eq!(template.event_sources, std::slice::from_ref(&source));
    let event = "BatchSize: 100, MaximumBatchingWindowInSeconds: 1, FunctionResponseTypes: [ReportBatchItemFailures]";
    let template = with_source("", event).expect("read");
    assert_eq!(template.event_sources, [EventSource { batch_size: 100, partial_failures: true, ..source }]);
    assert_eq!((template.queues[0].delay_s, template.queues[0].retention_s), (0, 345_600));
    assert!(with_source("", "Enabled: 'false'").expect("read").event_sources.is_empty());
}

#[test]
fn what_aws_or_this_machine_cannot_do_with_a_queue_is_refused() {
    for (queue, event, expected) in [
        ("VisibilityTimeout: 59", "", "Take.Properties.Queue: hoist-Q hides its messages for 59 s"),
        ("", "Queue: !GetAtt F.Arn", "Take.Properties.Queue: is not the ARN of a queue"),
        ("", "BatchSize: 0", "Take.Properties.BatchSize: must be a whole number"),
        ("", "BatchSize: 11", "Take.Properties: a BatchSize of more than 10 needs"),
        ("", "FunctionResponseTypes: [Other]", "FunctionResponseTypes[0]: ReportBatchItemFailures would be right"),
        ("MessageRetentionPeriod: 59", "", "Resources.Q.Properties.MessageRetentionPeriod: must be"),
        ("DelaySeconds: 901", "", "Resources.Q.Properties.DelaySeconds: must be"),
        ("RedrivePolicy: {maxReceiveCount: 5}", "", "Resources.Q.Properties.RedrivePolicy: is not stood in for"),
        ("FifoQueue: true", "", "Resources.Q.Properties.FifoQueue: is not stood in for"),
    ] {
        let found = with_source(queue, event).expect_err(expected).to_string();
        assert!(found.contains(expected), "{found}\n  should contain\n{expected}");
    }
}

#[test]
fn an_event_invoke_config_of_its_own_counts() {
    let template = read(&format!(
        "{}\n",
        FULL.replace(
            "  Failed: {Type: AWS::SQS::Queue}",
            "  Failed: {Type: AWS::SQS::Queue}\n  Config: {Type: AWS::Lambda::EventInvokeConfig, Properties: \
             {FunctionName: !Ref CommandApi, Qualifier: $LATEST, MaximumRetryAttempts: 0}}"
        )
    ));
    assert_eq!(template.functions[0].retries, 0);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-zA-Z:!${}\\[\\], \\-\"'.&*|>\n]|Resources|!Sub|!Ref|Type){0,40}") {
        let _ = with(&text, &[]);
    }
}

/// The real one: everything it declares can be stood in for, and nothing in it lacks what it needs.
#[test]
fn the_template_of_this_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = Template::read(&path, &BTreeMap::new(), &place()).unwrap_or_else(|error| panic!("{error}"));
    assert!(!template.functions.is_empty() && !template.tables.is_empty() && !template.routes.is_empty());
    assert!(template.routes.iter().all(|route| route.iam), "{:?}", template.routes);
    assert!(template.tables.iter().all(|table| table.ttl_attribute.is_some()));
    let failures = format!("arn:aws:sqs:eu-west-1:000000000000:{}", template.queues[0].name);
    for function in template.functions.iter().filter(|f| f.on_failure.is_some()) {
        assert_eq!(function.on_failure.as_ref(), Some(&failures), "{}", function.name);
    }
    for rule in &template.rules {
        assert_eq!(rule.sql_version, "2016-03-23", "{}", rule.name);
        assert!(rule.error_action.is_some(), "{}", rule.name);
        for action in &rule.actions {
            let Action::Lambda { function_arn, permitted } = action else { continue };
            assert!(permitted, "{}", rule.name);
            assert!(template.functions.iter().any(|f| f.arn == *function_arn), "{}", rule.name);
        }
    }
    assert_eq!(template.schedules.iter().map(|s| s.every_s).collect::<Vec<_>>(), [60]);
    assert!(template.event_sources.is_empty(), "a queue that stays empty is not asked");
}

#[test]
fn the_template_of_this_repository_with_other_parameters() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let parameters = [("ReconcileSeconds", "5"), ("TrimmedMessage", "documents")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let template = Template::read(&path, &parameters, &place()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(template.schedules.iter().map(|s| s.every_s).collect::<Vec<_>>(), [60]);
    assert_eq!(template.event_sources.len(), 1, "{:?}", template.event_sources);
    assert!(template.rules.iter().any(|r| r.sql.ends_with("FROM '$aws/things/+/shadow/update/documents'")));
}
