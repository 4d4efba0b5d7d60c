//! What template.yaml must have for every function, stream, rule and policy.

use std::collections::BTreeSet;

use serde_json::Value;

use super::source::{resources, template};

#[test]
fn every_function_keeps_its_logs_for_a_time_and_its_failures_for_good() {
    let logs: BTreeSet<String> =
        resources("AWS::Logs::LogGroup").values().map(|l| format!("{:?}", l["Properties"]["LogGroupName"])).collect();
    for (name, function) in resources("AWS::Serverless::Function") {
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary");
        assert!(
            logs.iter().any(|log| log.contains(&format!("/aws/lambda/${{AWS::StackName}}-{binary}"))),
            "{name} has no log group"
        );
        let invoked_by_http = format!("{:?}", function["Properties"]["Events"]).contains("HttpApi");
        let destination = &function["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
        let streams: Vec<_> = streams(&function).collect();
        let kept = streams.iter().all(|stream| !stream["DestinationConfig"]["OnFailure"].is_null());
        let only_streams = binary == "fan-out-command" || binary == "tally-command";
        assert_eq!(only_streams, destination.is_null() && !invoked_by_http, "{name}");
        assert!(kept && only_streams <= !streams.is_empty(), "{name} loses events that it cannot handle");
    }
    for (name, log) in resources("AWS::Logs::LogGroup") {
        assert!(!log["Properties"]["RetentionInDays"].is_null(), "{name} is kept for ever");
    }
}

#[test]
fn every_reader_of_a_stream_says_what_becomes_of_what_fails() {
    let mut readers = 0;
    for (name, function) in resources("AWS::Serverless::Function") {
        for stream in streams(&function) {
            readers += 1;
            let said = ["BatchSize", "ParallelizationFactor", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds"];
            for property in said.into_iter().chain(["BisectBatchOnFunctionError", "MaximumBatchingWindowInSeconds"]) {
                assert!(!stream[property].is_null(), "{name}: {property} is left to AWS");
            }
            assert_eq!(stream["StartingPosition"], "TRIM_HORIZON", "{name}");
            assert_eq!(stream["FunctionResponseTypes"][0], "ReportBatchItemFailures", "{name}");
            assert!(!stream["DestinationConfig"]["OnFailure"].is_null(), "{name}");
        }
    }
    assert_eq!(readers, 3);
}

/// The streams that a function reads.
fn streams(function: &Value) -> impl Iterator<Item = &Value> {
    let events = function["Properties"]["Events"].as_object();
    events
        .into_iter()
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "DynamoDB")
        .map(|event| &event["Properties"])
}

/// What a stream or a queue brings does not say what time it is, and Lambda retries an event of a rule for hours: a function knows when it
/// began from when it has to end, and how long it may take.
#[test]
fn a_function_whose_events_may_be_late_knows_how_long_it_may_take() {
    let usual = template()["Globals"]["Function"]["Timeout"].clone();
    let mut known = 0;
    for (name, function) in resources("AWS::Serverless::Function") {
        let properties = &function["Properties"];
        let told = &properties["Environment"]["Variables"]["TIMEOUT_SECONDS"];
        let timeout = if properties["Timeout"].is_null() { &usual } else { &properties["Timeout"] };
        let reads_queue = properties["Events"].as_object().is_some_and(|all| all.values().any(|e| e["Type"] == "SQS"));
        let is_retried = !properties["EventInvokeConfig"].is_null();
        let needed = reads_queue || is_retried || streams(&function).next().is_some();
        assert_eq!(needed, !told.is_null(), "{name}: TIMEOUT_SECONDS is for streams, queues and retried events");
        if !told.is_null() {
            assert_eq!(told, timeout, "{name}: TIMEOUT_SECONDS and Timeout");
            known += 1;
        }
    }
    assert_eq!(known, 6, "does this test still see them?");
}

/// A function with another number would write entries where the reconciler does not look for them.
#[test]
fn every_function_with_executions_knows_the_same_number_of_due_shards() {
    let mut numbers = BTreeSet::new();
    for (name, function) in resources("AWS::Serverless::Function") {
        let variables = &function["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["EXECUTIONS_TABLE"].is_null(), variables["DUE_SHARDS"].is_null(), "{name}");
        numbers.extend(variables["DUE_SHARDS"].as_u64());
    }
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), [64]);
}

#[test]
fn every_rule_names_its_sql_version_its_error_action_and_its_permission() {
    let rules = resources("AWS::IoT::TopicRule");
    assert!(!rules.is_empty());
    let permissions = resources("AWS::Lambda::Permission");
    for (name, rule) in rules {
        let payload = &rule["Properties"]["TopicRulePayload"];
        assert_eq!(payload["AwsIotSqlVersion"], "2016-03-23", "{name}");
        assert!(!payload["ErrorAction"].is_null(), "{name} has no error action");
        let permission = permissions
            .values()
            .map(|p| &p["Properties"])
            .find(|p| format!("{:?}", p["SourceArn"]).contains(&format!("{name}.Arn")));
        let permission = permission.unwrap_or_else(|| panic!("{name} may not invoke its function"));
        assert_eq!(permission["Principal"], "iot.amazonaws.com");
        assert!(!permission["SourceAccount"].is_null(), "any account's rule could invoke the function of {name}");
    }
}

#[test]
fn no_policy_allows_everything() {
    for (name, function) in resources("AWS::Serverless::Function") {
        let policies = function["Properties"]["Policies"].as_array().expect("policies");
        for statement in policies.iter().flat_map(|p| p["Statement"].as_array().expect("statements")) {
            let actions = format!("{:?}", statement["Action"]);
            assert!(!actions.contains('*'), "{name}: {actions}");
            assert_ne!(statement["Resource"], "*", "{name}: {actions} on everything");
        }
    }
}

/// cfn-lint does not look at values in Globals.
#[test]
fn the_globals_are_within_lambdas_limits() {
    let globals = template()["Globals"]["Function"].clone();
    assert!((1..=900).contains(&globals["Timeout"].as_u64().expect("Timeout")));
    assert!((128..=10_240).contains(&globals["MemorySize"].as_u64().expect("MemorySize")));
    assert_eq!(globals["Runtime"], "provided.al2023");
}
