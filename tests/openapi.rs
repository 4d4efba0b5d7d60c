//! openapi.yaml is written by hand, so it is held against what it describes: the template's routes, and real answers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, template};

/// What a path of the document can hold besides its operations is not one of these.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).expect("YAML")
}

#[test]
fn every_route_is_documented_and_nothing_else_is() {
    let text = fs::read_to_string(template()).expect("template.yaml");
    let template: Value = serde_saphyr::from_str(&text).expect("YAML");
    let resources = template["Resources"].as_object().expect("Resources");
    let routes: BTreeSet<(String, String)> = resources
        .values()
        .filter_map(|resource| resource["Properties"]["Events"].as_object())
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "HttpApi")
        .map(|event| {
            let text = |property: &str| event["Properties"][property].as_str().expect(property);
            (text("Method").to_uppercase(), text("Path").to_owned())
        })
        .collect();

    let document = document();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in METHODS.iter().filter(|method| !item[**method].is_null()) {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    assert!(!routes.is_empty());
    assert_eq!(documented, routes, "openapi.yaml on the left, template.yaml on the right");
}

#[tokio::test(flavor = "multi_thread")]
async fn real_answers_hold_what_is_documented_and_nothing_else() {
    let document = document();
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;

    let body = json!({"name": "reboot", "payload": {"delay": 5}, "target": {"things": ["pump-7"]}, "heartbeat": 30});
    let post =
        |body: &Value| world.request(Method::POST, "/commands", &[("idempotency-key", "order-66")], body.to_string());
    let created = post(&body).await;
    assert_eq!(created.status, 202, "{created:?}");
    compare(&document, "post", "/commands", &created);
    let command = created.body["commandId"].as_str().expect("an id").to_owned();

    // An outcome with everything that an answer can hold; a result that was cut is the rarest of it.
    let (_, request) = pump.next_json().await;
    let id = &request["executionId"];
    let reason = json!({"reasonCode": "NO_POWER", "reasonDescription": "off"});
    for report in [
        json!({"executionId": id, "status": "IN_PROGRESS"}),
        json!({"executionId": id, "status": "FAILED", "statusReason": reason, "result": "x".repeat(5000)}),
    ] {
        pump.report("pump-7", report).await;
        world.stack.settle().await;
    }
    let shown = world.execution(&command, "pump-7").await;
    assert_eq!((&shown["reason"], &shown["resultCut"]), (&json!("NO_POWER"), &json!(true)), "{shown}");

    let again = post(&body).await;
    assert_eq!(again.status, 200, "{again:?}");
    compare(&document, "post", "/commands", &again);
    let paths = document["paths"].as_object().expect("paths").iter();
    for (path, _) in paths.filter(|(_, item)| !item["get"].is_null()) {
        let answer = world.get(&path.replace("{commandId}", &command).replace("{thing}", "pump-7")).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        compare(&document, "get", path, &answer);
    }

    for (path, _) in
        document["paths"].as_object().expect("paths").iter().filter(|(path, _)| path.contains("/executions"))
    {
        let answer = world.get(&path.replace("{commandId}", &command).replace("{thing}", "pump-7")).await;
        assert!(!answer.body.to_string().contains("explanation"), "{path}: nobody has asked: {answer:?}");
        let explained = format!("{}?explain", path.replace("{commandId}", &command).replace("{thing}", "pump-7"));
        let answer = world.get(&explained).await;
        assert!(answer.body.to_string().contains("The device said FAILED (NO_POWER)."), "{path}: {answer:?}");
        compare(&document, "get", path, &answer);
    }

    // Only the cloud's own verdict has a reason in the history.
    let one = "/commands/{commandId}/executions/{thing}";
    let silent = world.command("pump-8", json!({"ttl": 5})).await;
    world.advance(10).await;
    let expired = world.get(&format!("/commands/{silent}/executions/pump-8")).await;
    assert_eq!(expired.body["reason"], "EXPIRED", "{expired:?}");
    compare(&document, "get", one, &expired);

    let refused = world.post("/commands", &json!({"name": "reboot"})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    compare(&document, "post", "/commands", &refused);
    let conflict = post(&json!({"name": "shutdown", "target": {"things": ["pump-7"]}})).await;
    assert_eq!(conflict.status, 409, "{conflict:?}");
    compare(&document, "post", "/commands", &conflict);
    let missing = world.get(&format!("/commands/{command}/executions/pump-8")).await;
    assert_eq!(missing.status, 404, "{missing:?}");
    compare(&document, "get", one, &missing);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_with_everything_and_its_cancel_are_documented() {
    let document = document();
    let world = World::start().await;
    let mut body =
        document["paths"]["/commands"]["post"]["requestBody"]["content"]["application/json"]["examples"]["everything"]
            ["value"]
            .clone();
    body["waitSeconds"] = json!(0);
    let created = world.post("/commands", &body).await;
    assert_eq!(created.status, 202, "{created:?}");
    compare(&document, "post", "/commands", &created);
    let id = created.body["commandId"].as_str().expect("an id").to_owned();
    let shown = world.get(&format!("/commands/{id}")).await;
    compare(&document, "get", "/commands/{commandId}", &shown);
    for field in
        ["name", "payload", "target", "delivery", "shadow", "ttl", "timeout", "heartbeat", "retry", "lane", "supersede"]
    {
        assert_eq!(shown.body[field], body[field], "{field}");
    }

    let (route, one) = ("/commands/{commandId}/cancel", "/commands/{commandId}/executions/{thing}");
    let cancel = |body: Value| {
        let (world, path) = (&world, route.replace("{commandId}", &id));
        async move { world.post(&path, &body).await }
    };
    let wrong = cancel(json!({"force": 1})).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    compare(&document, "post", route, &wrong);
    let canceled = cancel(json!({})).await;
    assert_eq!((canceled.status, &canceled.body["state"]), (200, &json!("COMPLETED")), "{canceled:?}");
    compare(&document, "post", route, &canceled);
    let shown = world.get(&format!("/commands/{id}/executions/pump-7?explain=true")).await;
    assert_eq!(shown.body["via"], "shadow/map/cmd", "{shown:?}");
    compare(&document, "get", one, &shown);

    let mut pump = world.thing("pump-8").await;
    let running = world.command("pump-8", json!({"retry": {"on": ["FAILED"], "backoff": {"base": 0}}})).await;
    let (_, request) = pump.next_json().await;
    let reason = json!({"reasonCode": "NO_POWER"});
    let id = &request["executionId"];
    pump.report("pump-8", json!({"executionId": id, "status": "FAILED", "statusReason": reason})).await;
    pump.next_json().await;
    pump.report("pump-8", json!({"executionId": id, "status": "IN_PROGRESS", "attempt": 2})).await;
    world.stack.settle().await;
    let shown = world.get(&format!("/commands/{running}/executions/pump-8?explain")).await;
    assert!(shown.body.to_string().contains(r#""deviceReason":"NO_POWER""#), "{shown:?}");
    compare(&document, "get", one, &shown);
    let refused = world.post(&format!("/commands/{running}/cancel"), &json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    compare(&document, "post", route, &refused);
    let missing = world.post("/commands/018bcfe5-687b-7000-8000-000000000000/cancel", &json!({})).await;
    assert_eq!(missing.status, 404, "{missing:?}");
    compare(&document, "post", route, &missing);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_as_it_is_documented() {
    let document = document();
    let world = World::start().await;
    let body = |more: Value| {
        let mut body = json!({"name": "reboot", "target": {"things": ["pump-7"]}});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let large = body(json!({"delivery": "shadow", "payload": {"text": "x".repeat(3500)}}));
    for status in [202, 202, 413] {
        let answer = world.post("/commands", &large).await;
        assert_eq!(answer.status, status, "{answer:?}");
        compare(&document, "post", "/commands", &answer);
    }
    let laned = body(json!({"lane": "valve"}));
    for _ in 0..100 {
        assert_eq!(world.post("/commands", &laned).await.status, 202);
    }
    let full = world.post("/commands", &laned).await;
    assert_eq!(
        (full.status, &full.body["field"], full.headers["retry-after"].as_bytes()),
        (429, &json!("lane"), &b"10"[..])
    );
    compare(&document, "post", "/commands", &full);
    let refused = world.post("/commands", &body(json!({"supersede": true}))).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    compare(&document, "post", "/commands", &refused);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_command_and_what_is_done_to_it_are_documented() {
    let document = document();
    let examples = &document["paths"]["/commands"]["post"]["requestBody"]["content"]["application/json"]["examples"];
    let world = World::start().await;
    for (group, thing) in [("pumps", "pump-1"), ("pumps", "pump-2"), ("sirens", "siren-1")] {
        world.stack.registry.add_things(group, &[thing]).expect("a group");
    }
    let one = "/commands/{commandId}";
    for example in ["fleet", "broadcast"] {
        let mut body = examples[example]["value"].clone();
        body["dryRun"] = json!(true);
        let dry_run = world.post("/commands", &body).await;
        assert_eq!(dry_run.status, 200, "{dry_run:?}");
        compare(&document, "post", "/commands", &dry_run);
        body["dryRun"] = json!(false);
        let created = world.post("/commands", &body).await;
        assert_eq!(created.status, 202, "{created:?}");
        compare(&document, "post", "/commands", &created);
        let id = created.body["commandId"].as_str().expect("an id").to_owned();
        world.stack.settle().await;
        let shown = world.get(&format!("/commands/{id}")).await;
        compare(&document, "get", one, &shown);
        assert_eq!(shown.body["target"]["groups"], body["target"]["groups"]);
        for (what, status) in [("resume", 409), ("pause", 200), ("resume", 200), ("cancel", 200), ("pause", 409)] {
            let answer = world.request(Method::POST, &format!("/commands/{id}/{what}"), &[], "").await;
            assert_eq!(answer.status, status, "{what}: {answer:?}");
            compare(&document, "post", &format!("{one}/{what}"), &answer);
        }
    }

    let mut siren = world.thing("siren-1").await;
    let body = json!({"name": "siren.on", "target": {"groups": ["sirens"]}});
    let created = world.post("/commands", &body).await;
    let id = created.body["commandId"].as_str().expect("an id").to_owned();
    let (_, request) = siren.next_json().await;
    let reason = json!({"reasonCode": "NO_POWER"});
    siren
        .report("siren-1", json!({"executionId": request["executionId"], "status": "FAILED", "statusReason": reason}))
        .await;
    world.advance(5).await;
    let shown = world.get(&format!("/commands/{id}")).await;
    assert_eq!(shown.body["counts"]["byReason"], json!({"NO_POWER": 1}), "{shown:?}");
    compare(&document, "get", one, &shown);
    let listed = world.get(&format!("/commands/{id}/executions?status=FAILED&limit=1")).await;
    assert_eq!(listed.body["executions"].as_array().map(Vec::len), Some(1), "{listed:?}");
    compare(&document, "get", "/commands/{commandId}/executions", &listed);
    let missing = world.post("/commands", &json!({"name": "a", "target": {"groups": ["nobody"]}})).await;
    compare(&document, "post", "/commands", &missing);
    world.end().await;
}

/// Holds an answer against the schema that the document has for this operation, status and content type.
fn compare(document: &Value, method: &str, path: &str, answer: &Answer) {
    let at = format!("{method} {path} {}", answer.status);
    let content_type = answer.headers["content-type"].to_str().expect("text");
    let response = resolved(document, &document["paths"][path][method]["responses"][answer.status.to_string()]);
    let schema = &response["content"][content_type]["schema"];
    assert!(!schema.is_null(), "{at}: {content_type} is not documented");
    conform(document, schema, &answer.body, &at);
}

/// Types, words and members only: limits and patterns are of what is asked, and the function's own tests hold those.
fn conform(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(document, schema);
    let types: Vec<&str> = match &schema["type"] {
        // One of several shapes: that whose members are there.
        Value::Null if schema["oneOf"].is_array() => {
            let shapes = schema["oneOf"].as_array().into_iter().flatten().map(|shape| resolved(document, shape));
            let fits = |shape: &&Value| {
                let required = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                required.into_iter().all(|name| value.get(name).is_some())
            };
            let shape = shapes.into_iter().find(fits);
            return conform(document, shape.unwrap_or_else(|| panic!("{at}: {value} has no shape")), value, at);
        }
        // Any JSON: what a caller or a device wrote is theirs.
        Value::Null => return,
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&found), "{at}: {value} is no {types:?}");
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let declared = &schema["properties"][name];
                let declared = if declared.is_null() { &schema["additionalProperties"] } else { declared };
                assert!(declared.is_object(), "{at}: {name} is not documented");
                conform(document, declared, member, &format!("{at}.{name}"));
            }
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                assert!(members.contains_key(name), "{at}: {name} is missing");
            }
        }
        Value::Array(items) => items.iter().for_each(|item| conform(document, &schema["items"], item, at)),
        _ => {}
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    let target = document.pointer(reference.trim_start_matches('#'));
    resolved(document, target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
}
