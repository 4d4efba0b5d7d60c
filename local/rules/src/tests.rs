//! Tests of rules on published messages; service calls are recorded instead of executed.

use std::sync::Mutex;

use local_broker::{Message, Publisher};
use local_resources::Action;
use serde_json::json;

use super::*;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:track";

/// A rules engine and the service calls of its actions.
struct Bench {
    rules: Rules,
    calls: Arc<Mutex<Vec<ServiceCall>>>,
}

impl Bench {
    fn new(rules: &[TopicRule]) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let recorded = calls.clone();
        let call_service = move |call| {
            if let ServiceCall::Invoke { function_arn, .. } = &call
                && function_arn.ends_with("busy")
            {
                return Err("rate exceeded".to_owned());
            }
            recorded.lock().expect("no panic").push(call);
            Ok(())
        };
        Self { rules: Rules::new("000000000000", rules, call_service).unwrap_or_else(|error| panic!("{error}")), calls }
    }

    fn publish(&self, topic: &str, payload: &[u8]) -> Vec<String> {
        self.publish_by(topic, payload, Some("pump-7"))
    }

    fn publish_by(&self, topic: &str, payload: &[u8], client_id: Option<&str>) -> Vec<String> {
        let calls = self.calls(topic, payload, client_id);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        calls
            .iter()
            .map(|call| match call {
                ServiceCall::Invoke { event, .. } => text(event),
                ServiceCall::Publish(message) => format!("{} {}", message.topic, text(&message.payload)),
                ServiceCall::Send { body, .. } => body.clone(),
            })
            .collect()
    }

    /// Publishes a message and returns the resulting service calls.
    fn calls(&self, topic: &str, payload: &[u8], client_id: Option<&str>) -> Vec<ServiceCall> {
        self.rules.on_published(&Published {
            message: Message::new(topic, payload.to_vec()),
            publisher: Publisher { client_id: client_id.map(str::to_owned), principal: None },
            at_ms: 1_700_000_000_000,
            last_will: false,
        });
        std::mem::take(&mut *self.calls.lock().expect("no panic"))
    }
}

fn rule(name: &str, sql: &str) -> TopicRule {
    TopicRule {
        logical_id: name.into(),
        name: name.into(),
        sql: sql.into(),
        sql_version: "2016-03-23".into(),
        disabled: false,
        actions: vec![lambda(FUNCTION, true)],
        error_action: Some(Action::Sqs { queue_url: "http://127.0.0.1:4566/0/failed".into(), use_base64: false }),
    }
}

fn lambda(function_arn: &str, permitted: bool) -> Action {
    Action::Lambda { function_arn: function_arn.into(), permitted }
}

fn republish(topic: &str, headers: Value) -> Action {
    Action::Republish { topic: topic.into(), qos: 1, headers }
}

fn refused(rule: TopicRule) -> String {
    Rules::new("0", &[rule], |_| Ok(())).err().expect("an invalid rule").to_string()
}

#[test]
fn a_rule_runs_for_its_topics_only() {
    let bench = Bench::new(&[rule("r", "SELECT a FROM 'cmd/+/resp'")]);
    assert_eq!(bench.publish("cmd/x/resp", br#"{"a":1}"#), [r#"{"a":1}"#]);
    assert!(bench.publish("cmd/x/resp/1", br#"{"a":1}"#).is_empty());
    assert!(bench.publish("cmd/x/req", br#"{"a":1}"#).is_empty());
    assert_eq!(bench.rules.counts(), Counts { succeeded: 1, ..Counts::default() });
}

#[test]
fn every_rule_that_matches_runs_once() {
    let bench = Bench::new(&[
        rule("a", "SELECT 1 AS n FROM 'x/#'"),
        rule("b", "SELECT 2 AS n FROM 'x/y' WHERE n > 1"),
        rule("c", "SELECT 3 AS n FROM '+/y'"),
    ]);
    assert_eq!(bench.publish("x/y", br#"{"n":1}"#), [r#"{"n":1}"#, r#"{"n":3}"#]);
    assert_eq!(bench.publish("x/y", br#"{"n":2}"#), [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
}

#[test]
fn a_disabled_rule_never_runs() {
    let mut disabled = rule("r", "SELECT * FROM 'x'");
    disabled.disabled = true;
    let bench = Bench::new(&[disabled]);
    assert!(bench.publish("x", b"{}").is_empty());
    assert!(bench.publish("$aws/rules/r/x", b"{}").is_empty());
    assert_eq!(bench.rules.counts().rule_not_found, 1);
}

#[test]
fn basic_ingest_runs_one_rule_and_hides_its_prefix() {
    let sql = "SELECT topic() AS topic, topic(2) AS thing, clientid() AS client FROM 'cmd/+/resp'";
    let bench = Bench::new(&[rule("response", sql), rule("other", sql), rule("bare", "SELECT topic() AS t")]);
    let expected = [r#"{"topic":"cmd/x/resp","thing":"x","client":"pump-7"}"#];
    assert_eq!(bench.publish("$aws/rules/response/cmd/x/resp", b"\xff"), expected);
    assert_eq!(bench.publish("$aws/rules/response/any/topic", b"{}").len(), 1);
    assert_eq!(bench.publish("$aws/rules/bare/a", b"{}"), [r#"{"t":"a"}"#]);
    assert!(bench.publish("a", b"{}").is_empty());
    assert!(bench.publish("$aws/rules/absent/a", b"{}").is_empty());
    assert_eq!(bench.rules.counts().rule_not_found, 1);
}

#[test]
fn message_from_http_or_a_service_has_no_client_id() {
    let bench = Bench::new(&[rule("r", "SELECT clientid() AS c, traceid() AS t, principal() AS p FROM 'x'")]);
    assert_eq!(bench.publish_by("x", b"{}", None), [r#"{"c":"n/a"}"#]);
    let by_mqtt: Value = serde_json::from_str(&bench.publish("x", b"{}")[0]).expect("JSON");
    assert_eq!(by_mqtt["c"], "pump-7");
    assert_eq!(by_mqtt["t"].as_str().map(str::len), Some(36));
}

#[test]
fn failed_invocations_are_reported_to_the_error_action_once() {
    let mut both = rule("both", "SELECT a FROM 'x'");
    both.actions = vec![lambda("arn:busy", true), lambda(FUNCTION, false), lambda(FUNCTION, true)];
    let bench = Bench::new(&[both]);
    let calls = bench.publish("x", br#"{"a":1}"#);
    let [invoked, report] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(invoked, r#"{"a":1}"#);
    let mut report: Value = serde_json::from_str(report).expect("JSON");
    let trace = report["cloudwatchTraceId"].take();
    assert_eq!(trace.as_str().map(str::len), Some(36));
    assert_eq!(
        report,
        json!({
            "ruleName": "both",
            "topic": "x",
            "cloudwatchTraceId": null,
            "clientId": "pump-7",
            "base64OriginalPayload": "eyJhIjoxfQ==",
            "failures": [
                {
                    "failedAction": "LambdaAction",
                    "failedResource": "arn:busy",
                    "errorMessage": "Failed to invoke lambda function. The error received was: rate exceeded. \
                                     Message arrived on: x",
                },
                {
                    "failedAction": "LambdaAction",
                    "failedResource": FUNCTION,
                    "errorMessage": "Failed to invoke lambda function. The error received was: no permission allows \
                                     iot.amazonaws.com to invoke it for this rule. Message arrived on: x",
                },
            ],
        })
    );
    assert_eq!(bench.rules.counts(), Counts { failed: 1, ..Counts::default() });
}

#[test]
fn binary_payload_fails_the_lambda_action() {
    for sql in ["SELECT * FROM 'x'", "SELECT *, topic() AS t FROM 'x'", "SELECT a FROM 'x'"] {
        let bench = Bench::new(&[rule("r", sql)]);
        let calls = bench.publish("$aws/rules/r/x", b"\xff\xfe");
        let report: Value = serde_json::from_str(&calls[0]).expect("JSON");
        assert_eq!(report["topic"], "$aws/rules/r/x", "{sql}");
        assert_eq!(report["base64OriginalPayload"], "//4=", "{sql}");
        assert_eq!(calls.len(), 1, "{sql}");
    }
}

#[test]
fn where_clause_on_a_non_json_payload_is_counted() {
    let bench = Bench::new(&[rule("r", "SELECT * FROM 'x' WHERE a = 1")]);
    assert!(bench.publish("x", b"no").is_empty());
    assert_eq!(bench.publish("x", br#"{"a":1}"#), [r#"{"a":1}"#]);
    assert_eq!(bench.rules.counts(), Counts { succeeded: 1, not_evaluated: 1, ..Counts::default() });
}

#[test]
fn republishing_fills_templates_from_the_original_payload() {
    let mut trim = rule("trim", "SELECT state AS s FROM '$aws/things/+/shadow/update/delta'");
    trim.actions =
        vec![republish("${topic(3)}/${v}", Value::Null), republish("$$aws/things/${topic(3)}/shadow/get", Value::Null)];
    let bench = Bench::new(&[trim]);
    let calls = bench.publish("$aws/things/pump-7/shadow/update/delta", br#"{"state":{"a":1},"v":3}"#);
    assert_eq!(calls, [r#"pump-7/3 {"s":{"a":1}}"#, r#"$aws/things/pump-7/shadow/get {"s":{"a":1}}"#]);
}

#[test]
fn any_bytes_can_be_republished() {
    let mut raw = rule("raw", "SELECT * FROM 'x'");
    raw.actions = vec![republish("y", Value::Null), Action::Sqs { queue_url: "q".into(), use_base64: true }];
    let bench = Bench::new(&[raw]);
    let calls = bench.calls("x", b"\xff\x00", None);
    assert!(
        matches!(&calls[0], ServiceCall::Publish(message) if message.payload[..] == *b"\xff\x00" && message.qos == 1)
    );
    assert!(matches!(&calls[1], ServiceCall::Send { body, .. } if body == "/wA="));
}

#[test]
fn headers_become_mqtt_5_properties() {
    let headers = json!({
        "ContentType": "application/json",
        "ResponseTopic": "cmd/${topic(1)}/resp",
        "CorrelationData": "${encode('id', 'base64')}",
        "MessageExpiry": "${60 * 2}",
        "PayloadFormatIndicator": "UTF8_DATA",
        "UserProperties": [{"Key": "from", "Value": "${clientid()}"}, {"Key": "from", "Value": "rule"}],
    });
    let mut with_headers = rule("r", "SELECT * FROM 'x'");
    with_headers.actions = vec![republish("y", headers)];
    let calls = Bench::new(&[with_headers]).calls("x", b"{}", Some("pump-7"));
    let [ServiceCall::Publish(message)] = calls.as_slice() else { panic!("{calls:?}") };
    let properties = &message.properties;
    assert_eq!(properties.content_type.as_deref(), Some("application/json"));
    assert_eq!(properties.response_topic.as_deref(), Some("cmd/x/resp"));
    assert_eq!(properties.correlation_data.as_deref(), Some(&b"id"[..]));
    assert_eq!(properties.message_expiry_s, Some(120));
    assert!(properties.utf8);
    assert_eq!(properties.user, [("from".into(), "pump-7".into()), ("from".into(), "rule".into())]);
}

#[test]
fn unparsable_header_fails_the_action() {
    let mut with_headers = rule("r", "SELECT * FROM 'x'");
    with_headers.actions = vec![republish("y", json!({"MessageExpiry": "${a}"}))];
    let calls = Bench::new(&[with_headers]).publish("x", br#"{"a":"soon"}"#);
    assert!(calls[0].contains(r#"MessageExpiry: \"soon\" is not a number of seconds"#), "{calls:?}");
}

#[test]
fn invalid_rules_are_refused_at_start() {
    let mut old = rule("old", "SELECT * FROM 'x'");
    old.sql_version = "2015-10-08".into();
    assert_eq!(refused(old), "rule old: AwsIotSqlVersion is 2015-10-08 (the default when unset); set it to 2016-03-23");
    assert_eq!(
        refused(rule("r", "SELECT nope(a) AS b FROM 'x'")),
        "rule r: at character 8: there is no function nope(), in: SELECT nope(a) AS b FROM 'x'"
    );
    assert_eq!(refused(rule("r", "SELECT * FROM 'a/#/b'")), "rule r: topic filter 'a/#/b': # must be the last level");
    let mut reserved = rule("r", "SELECT * FROM 'x'");
    reserved.actions = vec![republish("$aws/things/x/shadow/update", Value::Null)];
    assert!(refused(reserved).contains("a reserved topic is written $$aws/things/x/shadow/update"));
    let mut template = rule("r", "SELECT * FROM 'x'");
    template.error_action = Some(republish("a/${nope()}", Value::Null));
    assert_eq!(
        refused(template),
        "rule r: republish topic \"a/${nope()}\", at character 5: there is no function nope()"
    );
    let mut disabled = rule("r", "SELECT FROM 'x'");
    disabled.disabled = true;
    assert!(refused(disabled).starts_with("rule r: at character 8"));
}

#[test]
fn rules_of_the_repository_template_run() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let place = local_resources::Place {
        region: "eu-west-1".into(),
        account: "000000000000".into(),
        stack_name: "flaghoist".into(),
        endpoint: "http://127.0.0.1:4566".into(),
    };
    let template = local_template::Template::read(&path, &Default::default(), &place).unwrap_or_else(|e| panic!("{e}"));
    let bench = Bench::new(&template.rules);
    let event: Value = serde_json::from_str(&bench.publish("cmd/pump-7/resp", b"SUCCESS 1")[0]).expect("JSON");
    assert_eq!(event["payload"], "U1VDQ0VTUyAx");
    assert_eq!(event["receivedAt"], 1_700_000_000_000_i64);
    let shadow = r#"{"version":3,"state":{"a":1.0}}"#;
    assert_eq!(
        bench.publish_by("$aws/things/pump-7/shadow/update/delta", shadow.as_bytes(), None),
        [r#"{"version":3,"state":{"a":1.0},"thing":"pump-7","receivedAt":1700000000000}"#]
    );
}

#[test]
fn evaluate_runs_one_statement() {
    let evaluate = |sql: &str, payload: &[u8]| evaluate(sql, "a/b", payload, Context::default());
    assert_eq!(evaluate("SELECT a, topic(2) AS t FROM 'x'", br#"{"a":1}"#).ok(), Some(Some(json!({"a": 1, "t": "b"}))));
    assert_eq!(evaluate("SELECT a FROM 'x' WHERE a > 1", br#"{"a":1}"#).ok(), Some(None));
    assert!(matches!(evaluate("SELECT * FROM 'x'", b"no"), Err(EvaluateError::Eval(EvalError::NotJson))));
    assert!(matches!(evaluate("SELECT", b"{}"), Err(EvaluateError::Sql(_))));
}
