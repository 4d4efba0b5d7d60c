//! The events in `events/`: read from disk, compared with the events of the template's rules and schedules, and adapted
//! to a running world.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use local::rules::{Context, evaluate};
use serde_json::{Value, json};

use crate::world::{EXECUTIONS, START, World};

/// File name and text of every event of a function, sorted by name.
pub fn fixtures(function: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(function);
    let mut found: Vec<(String, String)> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read_to_string(&path).expect("text"))
        })
        .collect();
    found.sort();
    found
}

/// The event with the id of the one execution in the world, and with times of the world's clock.
pub async fn for_this_execution(event: &str, world: &World) -> String {
    let rows = world.rows(EXECUTIONS).await;
    let id = rows[0]["sk"]["S"].as_str().and_then(|sk| sk.strip_prefix("E#")).expect("an id").to_owned();
    let Ok(mut event) = serde_json::from_str::<Value>(event) else { return event.to_owned() };
    if let Some(payload) = event["payload"].as_str().and_then(|p| data_encoding::BASE64.decode(p.as_bytes()).ok()) {
        let topic = event["topic"].as_str().unwrap_or_default().to_owned();
        let Some(named) = first_id(&payload).or_else(|| first_id(topic.as_bytes())) else { return event.to_string() };
        let payload = replace(&payload, &named, id.as_bytes());
        event["payload"] = data_encoding::BASE64.encode(&payload).into();
        event["topic"] = String::from_utf8(replace(topic.as_bytes(), &named, id.as_bytes())).expect("UTF-8").into();
    }
    if event.get("scheduledTime").is_some_and(|at| at.as_str().is_some_and(|at| at.ends_with('Z'))) {
        event["scheduledTime"] = "2030-01-01T00:00:00Z".into();
    }
    if let Some(body) = event["Records"][0]["body"].as_str().filter(|body| body.contains("2023-11-14T22:18:20Z")) {
        event["Records"][0]["body"] = body.replace("2023-11-14T22:18:20Z", "2030-01-01T00:00:00Z").into();
    }
    for record in event.get_mut("Records").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(body) = record["body"].as_str().filter(|body| body.contains(r#""kind":"execution""#)) {
            record["body"] = body.replace("aaaaaaaaaaaaaaaaaaaaaaaaaa", &id).into();
        }
    }
    if event["receivedAt"].is_number() {
        event["receivedAt"] = json!(START * 1000);
    }
    if event["requestContext"]["timeEpoch"].is_number() {
        event["requestContext"]["timeEpoch"] = json!(START * 1000);
    }
    event.to_string()
}

/// The first execution id in a text: 26 characters of lowercase base 32.
fn first_id(text: &[u8]) -> Option<Vec<u8>> {
    words(text).find(|word| word.len() == 26 && is_base_32(&word[0])).map(<[u8]>::to_vec)
}

fn replace(text: &[u8], id: &[u8], with: &[u8]) -> Vec<u8> {
    words(text).flat_map(|word| if word == id { with } else { word }).copied().collect()
}

/// Splits a text into runs of base 32 characters and runs of other characters.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.chunk_by(|a, b| is_base_32(a) == is_base_32(b))
}

fn is_base_32(c: &u8) -> bool {
    c.is_ascii_lowercase() || (b'2'..=b'7').contains(c)
}

fn good_fixtures(function: &str) -> impl Iterator<Item = Value> {
    let good = fixtures(function).into_iter().filter(|(name, _)| name.starts_with("good_"));
    good.map(|(_, event)| serde_json::from_str(&event).expect("JSON"))
}

/// The names of an event's members, and the value of its member `kind`.
fn shape(event: &Value) -> (BTreeSet<String>, Value) {
    (event.as_object().expect("an object").keys().cloned().collect(), event["kind"].clone())
}

/// The SQL of a rule or the input of a schedule must produce the event that its function decodes, as the fixtures show
/// it.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn rules_and_schedules_produce_events_like_the_good_fixtures() {
    // With every rule that a parameter brings.
    let parameters = [("ConnectedShadow", "presence"), ("ResponseTopic", "devices/answer")];
    let world = World::with_parameters(&parameters).await;
    let shadow = json!({"version": 3, "timestamp": START, "state": {"a": 1}, "metadata": {"a": {"timestamp": START}}, "clientToken": "t"});
    let state = json!({"desired": {"a": 1}, "reported": {"a": 1, "command": [], "c": {}}});
    let documents =
        json!({"previous": null, "current": {"version": 3, "state": state, "metadata": {}}, "timestamp": START});
    let refusal = json!({"code": 413, "message": "m", "timestamp": START, "clientToken": "t"});
    let event =
        json!({"clientId": "pump-7", "timestamp": START * 1000, "sessionIdentifier": "s", "principalIdentifier": "p"});
    let with = |more: Value| {
        let mut event = event.clone();
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        event
    };
    let subscribed = with(json!({"eventType": "subscribed", "topics": ["cmd/pump-7/req"]}));
    let connected = with(json!({"eventType": "connected", "ipAddress": "127.0.0.1", "versionNumber": 0}));
    for rule in &world.stack.template.rules {
        let (function, topic, payload) = match rule.logical_id.as_str() {
            "ResponseRule" => ("track-command", "cmd/pump-7/resp", "SUCCESS".to_owned()),
            "ResponseLongRule" => ("track-command", "cmd/pump-7/response", "SUCCESS".to_owned()),
            "ResponseByIdRule" => ("track-command", "cmd/pump-7/resp/x", "SUCCESS".to_owned()),
            "ClassicShadowRule" => ("trim-shadow", "$aws/things/pump-7/shadow/update/delta", shadow.to_string()),
            "NamedShadowRule" => ("trim-shadow", "$aws/things/pump-7/shadow/name/cmd/update/delta", shadow.to_string()),
            "OtherResponseRule" => ("track-command", "devices/answer", "SUCCESS".to_owned()),
            "PresenceRule" => ("dispatch-commands", "$aws/events/presence/connected/pump-7", connected.to_string()),
            "PresenceMessageRule" => {
                ("dispatch-commands", "things/pump-7/connected", json!({"connected": false}).to_string())
            }
            "BroadcastResponseRule" => ("track-command", "device_status/response", "SUCCESS".to_owned()),
            "ShadowReportRule" => {
                ("track-command", "$aws/things/pump-7/shadow/update/documents", documents.to_string())
            }
            "NamedShadowReportRule" => {
                ("track-command", "$aws/things/pump-7/shadow/name/cmd/update/documents", documents.to_string())
            }
            "ClassicShadowAnswerRule" => ("trim-shadow", "$aws/things/pump-7/shadow/get/accepted", shadow.to_string()),
            "NamedShadowAnswerRule" => {
                ("trim-shadow", "$aws/things/pump-7/shadow/name/cmd/get/accepted", shadow.to_string())
            }
            "ShadowRefusalRule" => ("track-command", "$aws/things/pump-7/shadow/update/rejected", refusal.to_string()),
            "NamedShadowRefusalRule" => {
                ("track-command", "$aws/things/pump-7/shadow/name/cmd/update/rejected", refusal.to_string())
            }
            "SubscribedRule" => {
                ("dispatch-commands", "$aws/events/subscriptions/subscribed/pump-7", subscribed.to_string())
            }
            "ConnectedRule" => ("dispatch-commands", "$aws/events/presence/connected/pump-7", connected.to_string()),
            other => panic!("no example message for the rule {other}"),
        };
        let context = Context { client_id: Some("pump-7"), at_ms: START * 1000, ..Context::default() };
        let selected = evaluate(&rule.sql, topic, payload.as_bytes(), context).expect("evaluates").expect("matches");
        assert!(
            good_fixtures(function).any(|event| shape(&event) == shape(&selected)),
            "{}: no good fixture of {function} has the members and kind of {selected}",
            rule.logical_id
        );
    }
    for schedule in &world.stack.template.schedules {
        let input = schedule.input.as_deref().expect("an input");
        let input: Value = serde_json::from_str(input).expect("JSON");
        assert!(
            good_fixtures("reconcile-commands").any(|event| shape(&event) == shape(&input)),
            "{}: no good fixture has the members and kind of {input}",
            schedule.name
        );
    }
    world.end().await;
}
