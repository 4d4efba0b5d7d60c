//! Tests of reading templates: functions, routes, tables, rules, parameters and errors.

mod intrinsics;
mod queues;
mod repository;
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
    with(text, &[]).expect_err("must be rejected").to_string()
}

const FULL: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Days: {Type: Number, Default: 30, MinValue: 1}
  Stage: {Type: String, Default: prod, AllowedValues: [prod, test]}
  Topic: {Type: String, Default: a/b, AllowedPattern: '[a-z]+(/[a-z]+)*'}
  Prefix: {Type: String, Default: '', AllowedPattern: '^[a-z]*$', ConstraintDescription: must be lower case}
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
fn globals_are_merged_into_functions() {
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
fn routes_and_schedules_are_read_from_events() {
    let template = read(FULL);
    let routes: Vec<_> = template.routes.iter().map(|r| (r.method.as_str(), r.path.as_str(), r.iam)).collect();
    assert_eq!(routes, [("POST", "/commands", true), ("GET", "/health", false)]);
    let [schedule] = template.schedules.as_slice() else { panic!("{:?}", template.schedules) };
    assert_eq!((schedule.name.as_str(), schedule.every_s), ("hoist-CommandApiTick", 120));
    assert_eq!(schedule.input.as_deref(), Some(r#"{"at": "<aws.scheduler.scheduled-time>"}"#));
}

#[test]
fn a_table_is_converted_to_create_table_input() {
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
fn a_rule_is_permitted_only_by_a_permission_for_its_arn_and_account() {
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
fn parameters_and_conditions_select_resources_and_values() {
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
    let refused = |name, value| with(FULL, &[(name, value)]).expect_err("rejected").to_string();
    assert_eq!(
        refused("Stagee", "test"),
        "Stagee: the template has no such parameter; it has: Days, Prefix, Stage, Topic"
    );
    assert_eq!(refused("Stage", "dev"), "Parameters.Stage: \"dev\" is not allowed; use one of prod, test");
    assert_eq!(refused("Days", "many"), "Parameters.Days: \"many\" is not a number");
    assert_eq!(refused("Days", "0"), "Parameters.Days: 0 is less than MinValue 1");
    let pattern = "Parameters.Topic: \"a/#\" is not allowed: must match [a-z]+(/[a-z]+)*";
    assert_eq!(refused("Topic", "a/#"), pattern, "the whole value has to match");
    assert_eq!(refused("Prefix", "A"), "Parameters.Prefix: \"A\" is not allowed: must be lower case");
}

#[test]
fn errors_name_resource_and_property() {
    for (from, to, expected) in [
        (
            "Type: AWS::SQS::Queue",
            "Type: AWS::SNS::Topic",
            "Resources.Failed.Type: the local stack does not support AWS::SNS::Topic",
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
            "Resources.CommandApi.Properties.Events.Create.Type: Api is not supported by the local stack",
        ),
        ("ApiId: !Ref Api}", "ApiId: !Ref Failed}", "Resources.CommandApi.Properties.Events.Create.Properties.ApiId: "),
        (
            "Republish:",
            "Kinesis:",
            "Resources.Track.Properties.TopicRulePayload.Actions[1]: Kinesis is not supported by the local stack",
        ),
        (
            "!GetAtt Failed.Arn}}",
            "!GetAtt Faild.Arn}}",
            "Resources.CommandApi.Properties.EventInvokeConfig.DestinationConfig.OnFailure.Destination: there is no resource Faild",
        ),
        (
            "TABLE: !Ref Executions",
            "TABLE: !Ref TestOnly",
            "Resources.CommandApi.Properties.Environment.Variables.TABLE: TestOnly does not exist: its condition IsTest is false",
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
fn text_that_is_not_a_template_is_rejected() {
    assert!(error("{").starts_with("not valid YAML: "));
    assert_eq!(error("a: 1"), "template: Resources is required");
    let missing = Template::read(Path::new("/nowhere/template.yaml"), &BTreeMap::new(), &place());
    assert!(missing.expect_err("rejected").to_string().starts_with("cannot read the template: "));
}

#[test]
fn a_separate_event_invoke_config_applies_to_its_function() {
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
    fn no_text_panics(text in "([a-zA-Z:!${}\\[\\], \\-\"'.&*|>\n]|Resources|!Sub|!Ref|Type){0,40}") {
        let _ = with(&text, &[]);
    }
}
