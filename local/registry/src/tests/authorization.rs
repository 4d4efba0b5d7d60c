//! Tests of the authorization of devices by policies.

use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:iot:us-east-1:000000000000:";

fn document(statements: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A registry with thing `dev-1` (type lamp, attribute room=a) and its certificate, which has this policy; returns the
/// certificate id.
async fn with(statements: Value) -> (Bench, String) {
    let bench = Bench::new().await;
    bench.ok("POST", "/thing-types/lamp", Value::Null).await;
    let attributes = json!({ "thingTypeName": "lamp", "attributePayload": { "attributes": { "room": "a" } } });
    bench.ok("POST", "/things/dev-1", attributes).await;
    let (arn, id) = bench.certificate().await;
    bench.attach("dev-1", &arn).await;
    bench.policy("p", &document(statements)).await;
    bench.attach_policy("p", &arn).await;
    (bench, id)
}

#[tokio::test]
async fn thing_name_policy_limits_a_device_to_its_own_client_id_and_topics() {
    let name = "${iot:Connection.Thing.ThingName}";
    let (bench, id) = with(json!([
        { "Effect": "Allow", "Action": "iot:Connect", "Resource": format!("{ARN}client/{name}") },
        {
            "Effect": "Allow",
            "Action": ["iot:Publish", "iot:Receive"],
            "Resource": [format!("{ARN}topic/cmd/{name}/*"), format!("{ARN}topic/$aws/things/{name}/shadow/*")],
        },
        { "Effect": "Allow", "Action": "iot:Subscribe", "Resource": format!("{ARN}topicfilter/cmd/{name}/+") },
    ]))
    .await;
    for (client, action, resource, expected) in [
        ("dev-1", "iot:Connect", "dev-1", true),
        ("dev-2", "iot:Connect", "dev-2", false),
        ("dev-2", "iot:Connect", "dev-1", false),
        ("dev-1", "iot:Publish", "cmd/dev-1/resp", true),
        ("dev-1", "iot:Publish", "cmd/dev-2/resp", false),
        ("dev-1", "iot:Publish", "cmd/dev-1", false),
        ("dev-1", "iot:Receive", "cmd/dev-1/req", true),
        ("dev-1", "iot:Publish", "$aws/things/dev-1/shadow/update", true),
        ("dev-1", "iot:RetainPublish", "cmd/dev-1/resp", false),
        ("dev-1", "iot:Subscribe", "cmd/dev-1/+", true),
        ("dev-1", "iot:Subscribe", "cmd/dev-1/req", false),
        ("dev-1", "iot:Subscribe", "#", false),
        ("dev-1", "iot:Unsupported", "cmd/dev-1/resp", false),
    ] {
        assert_eq!(bench.allows(&id, client, action, resource), expected, "{client} {action} {resource}");
    }
    assert!(!bench.allows("unknown", "dev-1", "iot:Connect", "dev-1"));
}

#[tokio::test]
async fn actions_and_resources_match_wildcards_and_resource_types() {
    for (action, resource, requested, on, expected) in [
        ("*", "*", "iot:Publish", "a/b", true),
        ("iot:*", "*", "iot:Connect", "x", true),
        ("iot:Pub*", "*", "iot:Publish", "a", true),
        ("iot:publish", "*", "iot:Publish", "a", true),
        ("iot:Publis?", "*", "iot:Publish", "a", true),
        ("iot:Subscribe", "*", "iot:Publish", "a", false),
        ("iot:*", "topic/a", "iot:Publish", "a", true),
        ("iot:*", "topic/a", "iot:Subscribe", "a", false),
        ("iot:*", "topicfilter/a/#", "iot:Subscribe", "a/#", true),
        ("iot:*", "topicfilter/a/#", "iot:Subscribe", "a/b", false),
        ("iot:*", "topicfilter/a/*", "iot:Subscribe", "a/+/b", true),
        ("iot:*", "client/dev-?", "iot:Connect", "dev-1", true),
        ("iot:*", "client/dev-?", "iot:Connect", "dev-12", false),
        ("iot:*", "topic/${iot:ClientId}", "iot:Publish", "dev-1", true),
        ("iot:*", "topic/${iot:Connection.Thing.ThingTypeName}", "iot:Publish", "lamp", true),
        ("iot:*", "topic/${iot:Connection.Thing.Attributes[room]}", "iot:Publish", "a", true),
        ("iot:*", "topic/${iot:Connection.Thing.Attributes[none]}*", "iot:Publish", "a", false),
        ("iot:GetThingShadow", "thing/dev-1", "iot:GetThingShadow", "dev-1", true),
    ] {
        let resource = if resource == "*" { resource.to_owned() } else { format!("{ARN}{resource}") };
        let (bench, id) = with(json!([{ "Effect": "Allow", "Action": action, "Resource": resource }])).await;
        assert_eq!(bench.allows(&id, "dev-1", requested, on), expected, "{action} {resource}: {requested} {on}");
    }
    let other_account = "arn:aws:iot:us-east-1:123456789012:topic/*";
    let (bench, id) = with(json!([{ "Effect": "Allow", "Action": "iot:*", "Resource": other_account }])).await;
    assert!(!bench.allows(&id, "dev-1", "iot:Publish", "a"));
}

#[tokio::test]
async fn deny_overrides_allow_in_any_order_and_from_a_group() {
    let allow = json!({ "Effect": "Allow", "Action": "iot:*", "Resource": "*" });
    let deny = json!({ "Effect": "Deny", "Action": "iot:Publish", "Resource": format!("{ARN}topic/secret/*") });
    for statements in [json!([allow, deny]), json!([deny, allow])] {
        let (bench, id) = with(statements).await;
        assert!(bench.allows(&id, "dev-1", "iot:Publish", "open"));
        assert!(!bench.allows(&id, "dev-1", "iot:Publish", "secret/a"));
        assert!(bench.allows(&id, "dev-1", "iot:Receive", "secret/a"));
    }
    let (bench, id) = with(json!([allow])).await;
    bench.group("g", None).await;
    bench.join("dev-1", "g").await;
    bench.policy("deny", &document(json!([deny]))).await;
    bench.attach_policy("deny", &format!("{ARN}thinggroup/g")).await;
    assert!(!bench.allows(&id, "dev-1", "iot:Publish", "secret/a"));
}

#[tokio::test]
async fn an_action_on_jobs_is_allowed_and_denied_by_either_of_its_names() {
    let statement = |effect: &str, action: &str| json!({ "Effect": effect, "Action": action, "Resource": "*" });
    for (statements, expected) in [
        (json!([statement("Allow", "iotjobsdata:UpdateJobExecution")]), true),
        (json!([statement("Allow", "iot:UpdateJobExecution")]), true),
        (json!([statement("Allow", "iot:DescribeJobExecution")]), false),
        (json!([statement("Allow", "*"), statement("Deny", "iotjobsdata:UpdateJobExecution")]), false),
        (json!([statement("Allow", "iotjobsdata:*"), statement("Deny", "iot:UpdateJobExecution")]), false),
    ] {
        let (bench, id) = with(statements.clone()).await;
        let allowed = bench.allows(&id, "dev-1", "iotjobsdata:UpdateJobExecution", "dev-1");
        assert_eq!(allowed, expected, "{statements}");
    }
}

#[tokio::test]
async fn a_statement_applies_only_if_its_conditions_hold() {
    let is_attached = "iot:Connection.Thing.IsAttached";
    let room = "iot:Connection.Thing.Attributes[room]";
    for (condition, dev_1, dev_2) in [
        (json!({ "Bool": { is_attached: ["true"] } }), true, false),
        (json!({ "Bool": { is_attached: true } }), true, false),
        (json!({ "Bool": { is_attached: "false" } }), false, true),
        (json!({ "StringEquals": { "iot:ClientId": ["x", "dev-2"] } }), false, true),
        (json!({ "StringEquals": { "iot:ClientId": "dev-*" } }), false, false),
        (json!({ "StringLike": { "iot:ClientId": "dev-*" } }), true, true),
        (json!({ "StringNotLike": { "iot:ClientId": "*-2" } }), true, false),
        (json!({ "StringEquals": { room: "a" } }), true, false),
        (json!({ "StringNotEquals": { room: "a" } }), false, true),
        (json!({ "StringEquals": { "iot:ClientId": "${iot:Connection.Thing.ThingName}" } }), true, false),
        (json!({ "StringEquals": { room: "a", "iot:ClientId": "dev-2" } }), false, false),
        (json!({ "Bool": { is_attached: "true" }, "StringEquals": { room: "b" } }), false, false),
        (json!({ "StringEqualsIfExists": { room: "b" } }), false, true),
        (json!({ "StringEqualsIfExists": { room: "a" } }), true, true),
        (json!({ "Null": { room: "true" } }), false, true),
        (json!({ "Null": { room: "false" } }), true, false),
        (json!({ "ForAllValues:StringEquals": { room: ["a", "b"] } }), true, true),
        (json!({ "ForAllValues:StringEquals": { room: "b" } }), false, true),
        (json!({ "ForAnyValue:StringEquals": { room: ["a", "b"] } }), true, false),
    ] {
        let statement = json!([{ "Effect": "Allow", "Action": "iot:*", "Resource": "*", "Condition": condition }]);
        let (bench, id) = with(statement).await;
        for (client, expected) in [("dev-1", dev_1), ("dev-2", dev_2)] {
            assert_eq!(bench.allows(&id, client, "iot:Connect", client), expected, "{client} {condition}");
        }
    }
}

#[tokio::test]
async fn persistent_sessions_and_last_wills_are_allowed_by_conditions() {
    let attributes = "iot:ConnectAttributes";
    let plain = ConnectAttributes::default();
    let persistent = ConnectAttributes { persistent: true, ..plain };
    let will = ConnectAttributes { will_topic: Some("wills/dev-1"), ..plain };
    let both = ConnectAttributes { persistent: true, ..will };
    for (condition, expected) in [
        (json!({}), [true, true, true, true]),
        (json!({ "ForAllValues:StringEquals": { attributes: ["PersistentConnect"] } }), [true, true, false, false]),
        (json!({ "ForAllValues:StringNotEquals": { attributes: ["PersistentConnect"] } }), [true, false, true, false]),
        (
            json!({ "ForAllValues:StringEquals": { attributes: ["PersistentConnect", "LastWill"] } }),
            [true, true, true, true],
        ),
        (json!({ "ForAllValues:StringEquals": { attributes: [] } }), [true, false, false, false]),
        (json!({ "ForAnyValue:StringEquals": { attributes: "LastWill" } }), [false, false, true, true]),
        (json!({ "ForAnyValue:StringNotEquals": { attributes: "LastWill" } }), [false, true, false, true]),
        (json!({ "ArnEquals": { "iot:LastWillTopic": format!("{ARN}topic/wills/*") } }), [false, false, true, true]),
        (
            json!({ "ArnLikeIfExists": { "iot:LastWillTopic": format!("{ARN}topic/other/*") } }),
            [true, true, false, false],
        ),
        (
            json!({ "ArnNotLike": { "iot:LastWillTopic": format!("{ARN}topic/wills/${{iot:ClientId}}") } }),
            [true, true, false, false],
        ),
    ] {
        let statement =
            json!([{ "Effect": "Allow", "Action": "iot:Connect", "Resource": "*", "Condition": condition }]);
        let (bench, id) = with(statement).await;
        let allowed = [plain, persistent, will, both].map(|connect| {
            let request = AccessRequest { client_id: "dev-1", action: "iot:Connect", resource: "dev-1", connect };
            bench.registry.allows(&id, &request)
        });
        assert_eq!(allowed, expected, "{condition}");
    }
}

#[tokio::test]
async fn policies_have_variables_of_the_certificate() {
    let (bench, id) = with(json!([])).await;
    let statement =
        |topic: &str| json!({ "Effect": "Allow", "Action": "iot:Publish", "Resource": format!("{ARN}topic/{topic}") });
    let statements = json!([
        statement("certs/${iot:CertificateId}/up"),
        statement("subjects/${iot:Certificate.Subject.CommonName}"),
        statement("issuers/${iot:Certificate.Issuer.CommonName}*"),
        statement("countries/${iot:Certificate.Subject.Country}*"),
    ]);
    let body = json!({ "policyDocument": document(statements).to_string() });
    bench.ok("POST", "/policies/p/version?setAsDefault=true", body).await;
    let check = |bench: &Bench| {
        for (topic, expected) in [
            (format!("certs/{id}/up"), true),
            ("certs/other/up".to_owned(), false),
            ("subjects/AWS IoT Certificate".to_owned(), true),
            ("subjects/dev-1".to_owned(), false),
            ("issuers/".to_owned(), false),
            // The certificate names no country.
            ("countries/".to_owned(), false),
        ] {
            assert_eq!(bench.allows(&id, "dev-1", "iot:Publish", &topic), expected, "{topic}");
        }
    };
    check(&bench);
    let restored = Bench::new().await;
    restored.registry.restore(&bench.registry.snapshot()).unwrap();
    check(&restored);
}

#[tokio::test]
async fn only_an_active_certificate_is_authorized() {
    let (bench, id) = with(json!([{ "Effect": "Allow", "Action": "iot:*", "Resource": "*" }])).await;
    for (status, expected) in [("INACTIVE", false), ("ACTIVE", true), ("REVOKED", false)] {
        bench.ok("PUT", &format!("/certificates/{id}?newStatus={status}"), Value::Null).await;
        assert_eq!(bench.allows(&id, "dev-1", "iot:Connect", "dev-1"), expected, "{status}");
    }
}

#[tokio::test]
async fn policies_of_parent_groups_apply_to_the_connecting_thing() {
    let (bench, id) = with(json!([])).await;
    bench.group("root", None).await;
    bench.group("leaf", Some("root")).await;
    bench.policy("all", &document(json!({ "Effect": "Allow", "Action": "iot:*", "Resource": "*" }))).await;
    bench.attach_policy("all", &format!("{ARN}thinggroup/root")).await;
    assert!(!bench.allows(&id, "dev-1", "iot:Connect", "dev-1"));
    bench.join("dev-1", "leaf").await;
    assert!(bench.allows(&id, "dev-1", "iot:Connect", "dev-1"));
    assert!(!bench.allows(&id, "dev-2", "iot:Connect", "dev-2"));
    bench.ok("POST", "/target-policies/all", json!({ "target": format!("{ARN}thinggroup/root") })).await;
    assert!(!bench.allows(&id, "dev-1", "iot:Connect", "dev-1"));
}

#[tokio::test]
async fn an_exclusive_thing_connects_under_any_client_id() {
    let (bench, _) = with(json!([])).await;
    let (arn, id) = bench.certificate().await;
    bench.thing("only").await;
    let path = "/things/only/principals?thingPrincipalType=EXCLUSIVE_THING";
    assert_eq!(bench.principal("PUT", path, &arn).await.0, 200);
    let topic = format!("{ARN}topic/${{iot:Connection.Thing.ThingName}}");
    bench.policy("own", &document(json!({ "Effect": "Allow", "Action": "iot:Publish", "Resource": topic }))).await;
    bench.attach_policy("own", &arn).await;
    assert!(bench.allows(&id, "any-client", "iot:Publish", "only"));
    assert!(!bench.allows(&id, "any-client", "iot:Publish", "any-client"));
}

#[tokio::test]
async fn the_default_version_is_evaluated_and_the_2008_language_has_no_variables() {
    let (bench, id) = with(json!([])).await;
    let older = json!({
        "Version": "2008-10-17",
        "Statement": { "Effect": "Allow", "Action": "iot:Publish", "Resource": format!("{ARN}topic/${{iot:ClientId}}") },
    });
    let body = json!({ "policyDocument": older.to_string() });
    bench.ok("POST", "/policies/p/version", body).await;
    assert!(!bench.allows(&id, "dev-1", "iot:Publish", "${iot:ClientId}"));
    bench.ok("PATCH", "/policies/p/version/2", Value::Null).await;
    assert!(bench.allows(&id, "dev-1", "iot:Publish", "${iot:ClientId}"));
    assert!(!bench.allows(&id, "dev-1", "iot:Publish", "dev-1"));
}
