//! Tests of certificates and of their attachments to things.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn an_issued_certificate_has_the_requested_status() {
    let bench = Bench::new().await;
    for (query, status) in [("?setAsActive=true", "ACTIVE"), ("?setAsActive=false", "INACTIVE"), ("", "INACTIVE")] {
        let made = bench.ok("POST", &format!("/keys-and-certificate{query}"), Value::Null).await;
        let id = text(&made["certificateId"]);
        assert_eq!(made["certificateArn"], format!("arn:aws:iot:us-east-1:000000000000:cert/{id}"));
        assert!(text(&made["keyPair"]["PrivateKey"]).starts_with("-----BEGIN RSA PRIVATE KEY-----"));
        assert!(text(&made["keyPair"]["PublicKey"]).starts_with("-----BEGIN PUBLIC KEY-----"));
        let found = &bench.get(&format!("/certificates/{id}")).await["certificateDescription"];
        assert_eq!((&found["status"], &found["certificatePem"]), (&json!(status), &made["certificatePem"]));
        assert_eq!(found["creationDate"], 1_700_000_000.5);
        assert!(found["validity"]["notAfter"].as_i64() > found["validity"]["notBefore"].as_i64());
        assert_eq!(bench.registry.is_active(&id), status == "ACTIVE");
    }
}

#[tokio::test]
async fn deletion_requires_an_inactive_and_detached_certificate() {
    let bench = Bench::new().await;
    let (arn, id) = bench.certificate().await;
    let path = format!("/certificates/{id}");
    bench.thing("t").await;
    bench.attach("t", &arn).await;
    let document = json!({ "Version": "2012-10-17", "Statement": [] });
    bench.policy("p", &document).await;
    bench.attach_policy("p", &arn).await;

    bench.fails("DELETE", &path, Value::Null, (406, "CertificateStateException")).await;
    bench.fails("PUT", &format!("{path}?newStatus=PENDING_TRANSFER"), Value::Null, INVALID).await;
    bench.fails("PUT", &format!("{path}?newStatus=ELSE"), Value::Null, INVALID).await;
    for status in ["INACTIVE", "INACTIVE", "REVOKED"] {
        bench.ok("PUT", &format!("{path}?newStatus={status}"), Value::Null).await;
        assert!(!bench.registry.is_active(&id));
    }
    bench.fails("DELETE", &format!("{path}?forceDelete=true"), Value::Null, DELETE_CONFLICT).await;
    assert_eq!(bench.principal("DELETE", "/things/t/principals", &arn).await.0, 200);
    bench.fails("DELETE", &path, Value::Null, DELETE_CONFLICT).await;
    bench.ok("DELETE", &format!("{path}?forceDelete=true"), Value::Null).await;
    bench.fails("DELETE", &path, Value::Null, NOT_FOUND).await;
    bench.fails("GET", &path, Value::Null, NOT_FOUND).await;
    bench.fails("GET", "/certificates/short", Value::Null, INVALID).await;
    // Deleting the certificate removed its attachments, so that policy and thing can be deleted.
    bench.ok("DELETE", "/policies/p", Value::Null).await;
    bench.ok("DELETE", "/things/t", Value::Null).await;
}

#[tokio::test]
async fn certificates_are_listed_by_creation_time() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(bench.certificate().await.1);
        bench.minutes(1);
    }
    let (sizes, first_to_last) = bench.pages("/certificates?pageSize=2&isAscendingOrder=true", "certificates").await;
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(names(&json!(first_to_last), "certificateId"), ids);
    ids.reverse();
    let (_, last_to_first) = bench.pages("/certificates?pageSize=2", "certificates").await;
    assert_eq!(names(&json!(last_to_first), "certificateId"), ids);
}

#[tokio::test]
async fn a_certificate_of_another_authority_can_be_registered_once() {
    let bench = Bench::new().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = Pki::load_or_create(elsewhere.path()).unwrap().issue("device").unwrap();
    let path = "/certificate/register-no-ca";
    let made = bench.ok("POST", path, json!({ "certificatePem": foreign.certificate_pem, "status": "ACTIVE" })).await;
    assert_eq!(made["certificateId"], foreign.certificate_id);
    assert!(bench.registry.is_active(&foreign.certificate_id));
    let again = bench.call("POST", path, json!({ "certificatePem": foreign.certificate_pem })).await;
    assert_eq!((again.0, again.1.as_str()), EXISTS);
    assert_eq!(again.2["resourceId"], foreign.certificate_id);
    let invalid = (400, "CertificateValidationException");
    for pem in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        bench.fails("POST", path, json!({ "certificatePem": pem }), invalid).await;
    }
    bench.fails("POST", path, json!({}), INVALID).await;
}

#[tokio::test]
async fn attachments_are_listed_by_thing_and_by_certificate() {
    let bench = Bench::new().await;
    let ((one, _), (two, _)) = (bench.certificate().await, bench.certificate().await);
    bench.thing("a").await;
    bench.thing("b").await;
    for _ in 0..2 {
        bench.attach("a", &one).await;
    }
    bench.attach("a", &two).await;
    bench.attach("b", &one).await;
    let mut both = vec![one.clone(), two.clone()];
    both.sort();
    assert_eq!(bench.get("/things/a/principals").await["principals"], json!(both));
    assert_eq!(bench.pages("/things/a/principals?maxResults=1", "principals").await.0, [1, 1]);
    assert_eq!(bench.principal("GET", "/principals/things", &one).await.2["things"], json!(["a", "b"]));
    let typed = bench.principal("GET", "/principals/things-v2?thingPrincipalType=EXCLUSIVE_THING", &one).await.2;
    assert_eq!(typed["principalThingObjects"], json!([]));
    let typed = bench.get("/things/b/principals-v2").await;
    let expected = json!([{ "principal": one, "thingPrincipalType": "NON_EXCLUSIVE_THING" }]);
    assert_eq!(typed["thingPrincipalObjects"], expected);

    assert_eq!(bench.principal("DELETE", "/things/a/principals", &one).await.0, 200);
    assert_eq!(bench.principal("DELETE", "/things/a/principals", &one).await.0, 404);
    assert_eq!(bench.principal("GET", "/principals/things", &one).await.2["things"], json!(["b"]));
    let missing = format!("arn:aws:iot:us-east-1:000000000000:cert/{}", "0".repeat(64));
    assert_eq!(bench.principal("PUT", "/things/a/principals", &missing).await.0, 404);
    assert_eq!(bench.principal("PUT", "/things/none/principals", &one).await.0, 404);
    assert_eq!(bench.principal("PUT", "/things/a/principals", "us-east-1:cognito").await.0, 400);
}

#[tokio::test]
async fn an_exclusive_certificate_is_attached_to_one_thing_only() {
    let bench = Bench::new().await;
    let (arn, _) = bench.certificate().await;
    bench.thing("a").await;
    bench.thing("b").await;
    let exclusive = "principals?thingPrincipalType=EXCLUSIVE_THING";
    assert_eq!(bench.principal("PUT", &format!("/things/a/{exclusive}"), &arn).await.0, 200);
    assert_eq!(bench.principal("PUT", "/things/b/principals", &arn).await.0, 400);
    bench.attach("a", &arn).await;
    bench.attach("b", &arn).await;
    assert_eq!(bench.principal("PUT", &format!("/things/a/{exclusive}"), &arn).await.0, 400);
}
