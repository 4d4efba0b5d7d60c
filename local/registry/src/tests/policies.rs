//! Tests of policies, their versions and their attachments.

use serde_json::{Value, json};

use super::*;

fn allow_all() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "iot:*", "Resource": "*" }] })
}

#[tokio::test]
async fn a_policy_document_is_stored_verbatim() {
    let bench = Bench::new().await;
    let written = format!(" {} ", allow_all());
    let made = bench.ok("POST", "/policies/p.1", json!({ "policyDocument": written })).await;
    assert_eq!((&made["policyVersionId"], &made["policyDocument"]), (&json!("1"), &json!(written)));
    let found = bench.get("/policies/p.1").await;
    assert_eq!(found["policyDocument"], written);
    assert_eq!(found["policyArn"], "arn:aws:iot:us-east-1:000000000000:policy/p.1");
    assert_eq!((&found["defaultVersionId"], &found["creationDate"]), (&json!("1"), &json!(1_700_000_000.5)));
    bench.fails("POST", "/policies/p.1", json!({ "policyDocument": written }), EXISTS).await;
    bench.fails("GET", "/policies/none", Value::Null, NOT_FOUND).await;
    bench.fails("POST", "/policies/a%3Ab", json!({ "policyDocument": written }), INVALID).await;
}

#[tokio::test]
async fn a_malformed_or_unsupported_document_is_rejected() {
    let bench = Bench::new().await;
    let statement = |more: Value| {
        let mut statement = json!({ "Effect": "Allow", "Action": "iot:Connect", "Resource": "*" });
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    for document in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({ "Version": "2012-10-17" }).to_string(),
        json!({ "Version": "2020-01-01", "Statement": [] }).to_string(),
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "iot:*" }] }).to_string(),
        statement(json!({ "Effect": "allow" })),
        statement(json!({ "Action": "Connect" })),
        statement(json!({ "Action": 3 })),
        statement(json!({ "NotAction": "iot:Publish" })),
        statement(json!({ "Principal": "*" })),
        statement(json!({ "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } } })),
        statement(json!({ "Condition": { "Bool": { "iot:Unsupported": "true" } } })),
        statement(json!({ "Resource": "x".repeat(2048) })),
    ] {
        let malformed = (400, "MalformedPolicyException");
        bench.fails("POST", "/policies/p", json!({ "policyDocument": document }), malformed).await;
    }
    bench.fails("POST", "/policies/p", json!({}), INVALID).await;
    // White space does not count towards the limit.
    let spacious = format!("{}{}", allow_all(), " ".repeat(3000));
    bench.ok("POST", "/policies/p", json!({ "policyDocument": spacious })).await;
}

#[tokio::test]
async fn a_policy_has_at_most_5_versions_and_the_default_one_cannot_be_deleted() {
    let bench = Bench::new().await;
    bench.policy("p", &allow_all()).await;
    let body = json!({ "policyDocument": allow_all().to_string() });
    let second = bench.ok("POST", "/policies/p/version?setAsDefault=true", body.clone()).await;
    assert_eq!((&second["policyVersionId"], &second["isDefaultVersion"]), (&json!("2"), &json!(true)));
    for _ in 0..3 {
        bench.ok("POST", "/policies/p/version", body.clone()).await;
    }
    bench.fails("POST", "/policies/p/version", body.clone(), (409, "VersionsLimitExceededException")).await;
    let list = bench.get("/policies/p/version").await;
    assert_eq!(names(&list["policyVersions"], "versionId"), ["5", "4", "3", "2", "1"]);
    assert_eq!(bench.get("/policies/p/version/2").await["isDefaultVersion"], true);
    bench.ok("PATCH", "/policies/p/version/3", Value::Null).await;
    assert_eq!(bench.get("/policies/p").await["defaultVersionId"], "3");
    bench.fails("DELETE", "/policies/p/version/3", Value::Null, DELETE_CONFLICT).await;
    bench.fails("DELETE", "/policies/p", Value::Null, DELETE_CONFLICT).await;
    for version in [1, 2, 4, 5] {
        bench.ok("DELETE", &format!("/policies/p/version/{version}"), Value::Null).await;
    }
    let next = bench.ok("POST", "/policies/p/version", body).await;
    assert_eq!(next["policyVersionId"], "6");
    for deleted in ["1", "0", "x", "99999999999"] {
        bench.fails("GET", &format!("/policies/p/version/{deleted}"), Value::Null, NOT_FOUND).await;
        bench.fails("PATCH", &format!("/policies/p/version/{deleted}"), Value::Null, NOT_FOUND).await;
    }
    bench.ok("DELETE", "/policies/p/version/6", Value::Null).await;
    bench.ok("DELETE", "/policies/p", Value::Null).await;
    bench.fails("DELETE", "/policies/p", Value::Null, NOT_FOUND).await;
}

#[tokio::test]
async fn attachments_are_listed_by_policy_and_by_target() {
    let bench = Bench::new().await;
    bench.group("root", None).await;
    bench.group("leaf", Some("root")).await;
    let group = |name: &str| format!("arn:aws:iot:us-east-1:000000000000:thinggroup/{name}");
    let (arn, _) = bench.certificate().await;
    for name in ["p", "q"] {
        bench.policy(name, &allow_all()).await;
    }
    for _ in 0..2 {
        bench.attach_policy("p", &arn).await;
    }
    bench.attach_policy("p", &group("root")).await;
    bench.attach_policy("q", &group("leaf")).await;
    let encoded = |arn: &str| arn.replace('/', "%2F").replace(':', "%3A");
    let attached = async |arn: &str, query: &str| {
        let list = bench.ok("POST", &format!("/attached-policies/{}{query}", encoded(arn)), Value::Null).await;
        names(&list["policies"], "policyName")
    };
    assert_eq!(attached(&arn, "").await, ["p"]);
    assert_eq!(attached(&group("leaf"), "").await, ["q"]);
    assert_eq!(attached(&group("leaf"), "?recursive=true").await, ["p", "q"]);
    let targets = bench.ok("POST", "/policy-targets/p", Value::Null).await;
    assert_eq!(targets["targets"], json!([arn, group("root")]));
    assert_eq!(bench.ok("POST", "/policy-targets/p?pageSize=1", Value::Null).await["targets"], json!([arn]));

    bench.fails("DELETE", "/policies/p", Value::Null, DELETE_CONFLICT).await;
    for target in [&arn, &group("root")] {
        for _ in 0..2 {
            bench.ok("POST", "/target-policies/p", json!({ "target": target })).await;
        }
    }
    bench.ok("DELETE", "/policies/p", Value::Null).await;
    // Deleting a group removes its attachments.
    bench.ok("DELETE", "/thing-groups/leaf", Value::Null).await;
    bench.ok("DELETE", "/policies/q", Value::Null).await;
}

#[tokio::test]
async fn attach_policy_has_limits_and_requires_policy_and_target() {
    let bench = Bench::new().await;
    bench.group("g", None).await;
    let (arn, _) = bench.certificate().await;
    let group = "arn:aws:iot:us-east-1:000000000000:thinggroup/g";
    for i in 0..11 {
        bench.policy(&format!("p{i}"), &allow_all()).await;
    }
    for (target, max) in [(arn.as_str(), 10), (group, 2)] {
        for i in 0..max {
            bench.attach_policy(&format!("p{i}"), target).await;
        }
        bench.fails("PUT", &format!("/target-policies/p{max}"), json!({ "target": target }), LIMIT).await;
        bench.attach_policy("p0", target).await;
    }
    bench.fails("PUT", "/target-policies/none", json!({ "target": arn }), NOT_FOUND).await;
    bench.fails("PUT", "/target-policies/p0", json!({ "target": format!("{group}-none") }), NOT_FOUND).await;
    bench.fails("PUT", "/target-policies/p0", json!({ "target": "x" }), INVALID).await;
    bench.fails("PUT", "/target-policies/p0", json!({}), INVALID).await;
}

#[tokio::test]
async fn the_principal_policy_operations_equal_the_target_policy_operations() {
    let bench = Bench::new().await;
    let (arn, _) = bench.certificate().await;
    bench.policy("p", &allow_all()).await;
    let older = async |method: &str, path: &str| {
        Bench::send(bench.request(method, path).header("x-amzn-iot-principal", &arn)).await
    };
    assert_eq!(older("PUT", "/principal-policies/p").await.0, 200);
    assert_eq!(names(&older("GET", "/principal-policies").await.2["policies"], "policyName"), ["p"]);
    assert_eq!(older("DELETE", "/principal-policies/p").await.0, 200);
    assert_eq!(older("GET", "/principal-policies").await.2["policies"], json!([]));
}

#[tokio::test]
async fn policies_are_listed_by_creation_time() {
    let bench = Bench::new().await;
    for name in ["b", "c", "a"] {
        bench.policy(name, &allow_all()).await;
        bench.minutes(1);
    }
    let (sizes, policies) = bench.pages("/policies?pageSize=2&isAscendingOrder=true", "policies").await;
    assert_eq!(sizes, [2, 1]);
    assert_eq!(names(&json!(policies), "policyName"), ["b", "c", "a"]);
    assert_eq!(names(&bench.get("/policies").await["policies"], "policyName"), ["a", "c", "b"]);
}

#[tokio::test]
async fn a_declared_policy_is_created_and_then_updated_by_a_new_default_version() {
    let bench = Bench::new().await;
    let declare = |action: &str| {
        let document =
            json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": action, "Resource": "*" } });
        bench.registry.declare_policy("p", &document)
    };
    for _ in 0..2 {
        declare("iot:Connect").unwrap();
        assert_eq!(bench.get("/policies/p").await["defaultVersionId"], "1");
    }
    for version in 2..=7 {
        declare(&format!("iot:Publish{version}")).unwrap();
        let found = bench.get("/policies/p").await;
        assert_eq!(found["defaultVersionId"], version.to_string());
        assert!(text(&found["policyDocument"]).contains(&format!("Publish{version}")));
    }
    let list = bench.get("/policies/p/version").await;
    assert_eq!(names(&list["policyVersions"], "versionId"), ["7", "6", "5", "4", "3"]);

    let error = declare("Connect").unwrap_err().to_string();
    assert!(error.contains("policy p") && error.contains("Connect is not an action"), "{error}");
    let error = bench.registry.declare_policy("a:b", &allow_all()).unwrap_err().to_string();
    assert!(error.starts_with("policy a:b: "), "{error}");
}
