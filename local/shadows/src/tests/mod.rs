//! Tests of the shadow service: requests on topics, and their answers.

mod properties;
mod verified_against_aws;

use serde_json::{Map, Value, json};

use super::store::Store;
use super::*;

/// The answers to a message published on a topic.
fn answer(store: &mut Store, now_s: i64, topic: &str, payload: &[u8]) -> Vec<Message> {
    let request = topic::RequestTopic::parse(topic);
    request.map_or_else(Vec::new, |request| {
        mqtt_requests::answer(store, &Journal::default(), now_s, request, topic, payload)
    })
}

/// A store, and a clock that advances by one second with each request.
struct Service {
    store: Store,
    now_s: i64,
}

impl Service {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        Self { store: Store::new(limits), now_s: 1000 }
    }

    /// Sends a request; returns the answers' topics, relative to the request's, and bodies.
    fn raw(&mut self, topic: &str, payload: &[u8]) -> Vec<(String, Value)> {
        self.now_s += 1;
        let below = |message: &Message| message.topic.strip_prefix(topic).unwrap_or("elsewhere").to_owned();
        answer(&mut self.store, self.now_s, topic, payload)
            .iter()
            .map(|message| (below(message), serde_json::from_slice(&message.payload).unwrap()))
            .collect()
    }

    fn update(&mut self, payload: Value) -> Map<String, Value> {
        self.raw("$aws/things/t/shadow/update", payload.to_string().as_bytes()).into_iter().collect()
    }

    fn get(&mut self) -> Value {
        let mut answers = self.raw("$aws/things/t/shadow/get", b"");
        assert_eq!(answers.len(), 1);
        answers.remove(0).1
    }

    fn delete(&mut self) -> Value {
        let mut answers = self.raw("$aws/things/t/shadow/delete", b"");
        assert_eq!(answers.len(), 1);
        answers.remove(0).1
    }

    /// Sends an update that must be rejected; returns code and message of the only answer.
    fn update_rejected(&mut self, payload: Value) -> (u64, String) {
        let answers = self.update(payload);
        assert_eq!(answers.len(), 1, "{answers:?}");
        let rejection = &answers["/rejected"];
        (rejection["code"].as_u64().unwrap(), rejection["message"].as_str().unwrap().to_owned())
    }
}

fn at(seconds: i64) -> Value {
    json!({ "timestamp": seconds })
}

#[test]
fn answers_contain_every_documented_field() {
    let mut service = Service::new();
    let answers = service.update(json!({"state": {"desired": {"light": "on", "old": 1}, "reported": {"light": "on"}}}));
    assert_eq!(answers["/documents"]["previous"], Value::Null);
    assert_eq!(answers["/delta"]["state"], json!({"old": 1}));

    let request = json!({
        "state": {"desired": {"light": "off", "old": null}}, "clientToken": "t-1", "version": 1, "else": "ignored"
    });
    let answers = service.raw("$aws/things/t/shadow/update", request.to_string().as_bytes());
    let topics: Vec<_> = answers.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics, ["/accepted", "/delta", "/documents"]);
    let answers: Map<_, _> = answers.into_iter().collect();
    assert_eq!(
        answers["/accepted"],
        json!({
            "state": {"desired": {"light": "off", "old": null}},
            "metadata": {"desired": {"light": at(1002), "old": at(1002)}},
            "version": 2, "timestamp": 1002, "clientToken": "t-1",
        })
    );
    assert_eq!(
        answers["/delta"],
        json!({
            "state": {"light": "off"}, "metadata": {"light": at(1002)},
            "version": 2, "timestamp": 1002, "clientToken": "t-1",
        })
    );
    assert_eq!(
        answers["/documents"],
        json!({
            "previous": {
                "state": {"desired": {"light": "on", "old": 1}, "reported": {"light": "on"}},
                "metadata": {"desired": {"light": at(1001), "old": at(1001)}, "reported": {"light": at(1001)}},
                "version": 1,
            },
            "current": {
                "state": {"desired": {"light": "off"}, "reported": {"light": "on"}},
                "metadata": {"desired": {"light": at(1002)}, "reported": {"light": at(1001)}},
                "version": 2,
            },
            "timestamp": 1002, "clientToken": "t-1",
        })
    );
    assert_eq!(
        service.raw("$aws/things/t/shadow/get", br#"{"clientToken":"t-2"}"#),
        [(
            "/accepted".to_owned(),
            json!({
                "state": {"desired": {"light": "off"}, "reported": {"light": "on"}, "delta": {"light": "off"}},
                "metadata": {"desired": {"light": at(1002)}, "reported": {"light": at(1001)}},
                "version": 2, "timestamp": 1003, "clientToken": "t-2",
            })
        )]
    );
    assert_eq!(
        service.raw("$aws/things/t/shadow/delete", br#"{"clientToken":"t-3"}"#),
        [("/accepted".to_owned(), json!({"version": 2, "timestamp": 1004, "clientToken": "t-3"}))]
    );
    assert_eq!(
        service.raw("$aws/things/t/shadow/delete", br#"{"clientToken":"t-4"}"#),
        [(
            "/rejected".to_owned(),
            json!({
                "code": 404, "message": "No shadow exists with name: 't'", "timestamp": 1005, "clientToken": "t-4"
            })
        )]
    );
}

#[test]
fn null_state_clears_the_shadow_and_increments_the_version() {
    let mut service = Service::new();
    for version in 1..=2 {
        let answers = service.update(json!({ "state": null }));
        let now = service.now_s;
        assert_eq!(
            answers["/accepted"],
            json!({"state": null, "metadata": at(now), "version": version, "timestamp": now})
        );
        let get = service.get();
        assert_eq!((&get["state"], &get["metadata"], &get["version"]), (&json!({}), &json!({}), &json!(version)));
    }
    service.update(json!({"state": {"desired": {"a": 1}, "reported": {"a": 1}}}));
    let answers = service.update(json!({"state": {"desired": null}}));
    assert_eq!(answers["/accepted"]["metadata"], json!({"desired": at(service.now_s)}));
    assert_eq!(answers["/documents"]["current"]["state"], json!({"reported": {"a": 1}}));
    let answers = service.update(json!({"state": null}));
    assert_eq!(answers["/documents"]["current"]["state"], json!({}));
}

#[test]
fn delta_is_published_with_every_update_until_nothing_differs() {
    let mut service = Service::new();
    service.update(json!({"state": {"desired": {"a": 1, "b": 2}}}));
    let answers = service.update(json!({"state": {"reported": {"c": 3}}, "clientToken": "reporter"}));
    assert_eq!(answers["/delta"]["state"], json!({"a": 1, "b": 2}));
    assert_eq!(answers["/delta"]["metadata"], json!({"a": at(1001), "b": at(1001)}));
    assert_eq!(answers["/delta"]["clientToken"], "reporter");
    assert_eq!(answers["/delta"]["version"], answers["/accepted"]["version"]);
    let answers = service.update(json!({"state": {"reported": {"a": 1.0, "b": 2}}}));
    assert!(!answers.contains_key("/delta"));
    assert_eq!(service.get()["state"].get("delta"), None);
    // Updating `desired` to a value that is already reported publishes no delta.
    assert!(!service.update(json!({"state": {"desired": {"a": 1}}})).contains_key("/delta"));
    // A key removed from `desired` is not part of the delta.
    assert!(!service.update(json!({"state": {"desired": {"a": null}}})).contains_key("/delta"));
}

#[test]
fn section_without_keys_is_removed() {
    let mut service = Service::new();
    service.update(json!({"state": {"desired": {"a": 1}}}));
    service.update(json!({"state": {"desired": {"a": null}}}));
    let get = service.get();
    assert_eq!((&get["state"], &get["metadata"]), (&json!({}), &json!({})));
}

#[test]
fn versions_must_match_and_never_decrease() {
    let mut service = Service::new();
    assert_eq!(service.update_rejected(json!({"state": {}, "version": 5})), (400, "Invalid version".into()));
    assert_eq!(service.update(json!({"state": {}, "version": 1}))["/accepted"]["version"], 1);
    assert_eq!(service.update(json!({"state": {}}))["/accepted"]["version"], 2);
    assert_eq!(service.update_rejected(json!({"state": {}, "version": 1})), (409, "Version conflict".into()));
    assert_eq!(service.update(json!({"state": {}, "version": 2}))["/accepted"]["version"], 3);

    assert_eq!(service.delete()["version"], 3);
    service.now_s += 48 * 3600 - 10;
    let again = service.update(json!({"state": {}}))["/accepted"]["version"].as_u64().unwrap();
    assert!(again > 3);
    assert_eq!(service.delete()["version"], again);
    service.now_s += 48 * 3600;
    assert_eq!(service.update(json!({"state": {}}))["/accepted"]["version"], 1);
}

#[test]
fn rejection_states_the_error_echoes_the_token_and_changes_nothing() {
    let mut service = Service::new();
    service.update(json!({"state": {"desired": {"a": 1}}}));
    let before = service.store.clone();
    let answers = service.update(json!({"state": {"delta": {}}, "clientToken": "token-1"}));
    assert_eq!(
        Value::Object(answers),
        json!({"/rejected": {
            "code": 400, "message": "State contains an invalid node: 'delta'", "timestamp": 1002,
            "clientToken": "token-1"
        }})
    );
    for (payload, code, message) in [
        (&b"\xff"[..], 415, "Unsupported documented encoding; supported encoding is UTF-8"),
        (b"hello", 400, "Invalid JSON"),
        (b"", 400, "Invalid JSON"),
        (br#"{"state":{"desired":[]}}"#, 400, "Desired node must be an object"),
        (br#"{"state":{"desired":{}},"clientToken":7}"#, 400, "Invalid clientToken"),
    ] {
        let answers = service.raw("$aws/things/t/shadow/update", payload);
        let now_s = service.now_s;
        let rejected = json!({"code": code, "message": message, "timestamp": now_s});
        assert_eq!(answers, [("/rejected".to_owned(), rejected)]);
    }
    assert_eq!(service.store, before);
    let answers = service.raw("$aws/things/a b/shadow/name/x/get", b"");
    assert_eq!(answers[0].1["message"], "Invalid thing name");
    let answers = service.raw("$aws/things/t/shadow/name/nope/get", b"");
    assert_eq!(answers[0].1["message"], "No shadow exists with name: 'nope'");
    assert_eq!(service.raw("$aws/things/t/shadow/get", b"not json")[0].1["message"], "Invalid JSON");
    assert_eq!(service.raw("$aws/things/t/shadow/delete", b"not json")[0].0, "/accepted");
}

#[test]
fn size_limit_applies_to_the_merged_document() {
    let mut service = Service::with_limits(Limits { max_bytes: 40, ..Limits::default() });
    // {"a":"..."} has eight bytes besides the text.
    let too_large = (413, "The payload exceeds the maximum size allowed".to_owned());
    assert_eq!(service.update_rejected(json!({"state": {"desired": {"a": "x".repeat(33)}}})), too_large);
    service.update(json!({"state": {"desired": {"a": "x".repeat(12)}}}));
    assert_eq!(service.update_rejected(json!({"state": {"reported": {"a": "x".repeat(13)}}})), too_large);
    let answers = service.update(json!({"state": {"reported": {"a": "x".repeat(12)}}}));
    assert_eq!(answers["/accepted"]["version"], 2);
    // One update may free space in one section and use it in the other.
    let answers = service.update(json!({"state": {"reported": {"a": "x".repeat(32)}, "desired": null}}));
    assert_eq!(answers["/accepted"]["version"], 3);
}

#[test]
fn named_shadows_are_independent() {
    let mut service = Service::new();
    service.update(json!({"state": {"desired": {"name": "classic"}}}));
    for name in ["two", "one"] {
        let topic = format!("$aws/things/t/shadow/name/{name}/update");
        service.raw(&topic, json!({"state": {"reported": {"name": name}}}).to_string().as_bytes());
    }
    assert_eq!(service.store.named_shadows("t").collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(service.store.named_shadows("other").count(), 0);
    service.raw("$aws/things/t/shadow/name/one/delete", b"");
    assert_eq!(service.store.named_shadows("t").collect::<Vec<_>>(), ["two"]);
    assert_eq!(service.get()["state"]["desired"], json!({"name": "classic"}));
}

#[test]
fn numbers_keep_their_spelling() {
    let mut service = Service::new();
    let payload =
        r#"{"state":{"reported":{"a":18446744073709551615,"b":-9223372036854775808,"c":1.0,"d":1,"e":11.9}}}"#;
    service.raw("$aws/things/t/shadow/update", payload.as_bytes());
    let state = service.get()["state"]["reported"].to_string();
    assert_eq!(state, r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":1.0,"d":1,"e":11.9}"#);
}

#[test]
fn saved_store_round_trips() {
    let mut service = Service::new();
    service.update(json!({"state": {"desired": {"a": [1, {"b": 1.5}]}}}));
    service.raw("$aws/things/t/shadow/name/$n/update", br#"{"state":{"reported":{"a":1}}}"#);
    service.raw("$aws/things/u/shadow/update", br#"{"state":{}}"#);
    service.raw("$aws/things/u/shadow/delete", b"");
    let saved = serde_json::to_string(&service.store).unwrap();
    assert_eq!(serde_json::from_str::<Store>(&saved).unwrap(), service.store);
}

#[test]
fn versions_of_deleted_shadows_are_removed_after_48_hours() {
    let mut service = Service::new();
    for thing in ["old", "new"] {
        let topic = |operation: &str| format!("$aws/things/{thing}/shadow/{operation}");
        service.raw(&topic("update"), br#"{"state":{"desired":{"on":true}}}"#);
        service.raw(&topic("delete"), b"");
        service.now_s += 48 * 60 * 60;
    }
    let saved = serde_json::to_value(&service.store).unwrap();
    assert_eq!(saved["deleted"].as_object().map(Map::len), Some(1), "{saved}");
    assert!(saved["deleted"].get("new").is_some(), "{saved}");
}

#[test]
fn journal_records_every_accepted_update() {
    use local_journal::{Event, Journal};
    let clock = Clock::manual(1_700_000_000_000);
    let journal = Journal::on(clock.clone());
    let broker = Broker::new(clock.clone(), None);
    let mut tap = broker.tap();
    let shadows = Shadows::with_journal(clock, broker.clone(), journal.clone());
    shadows.update("pump", None, br#"{"state":{"desired":{"on":true}}}"#).expect("accepted");
    shadows.update("pump", None, br#"{"state":{"desired":{"on":true}},"version":7}"#).expect_err("a conflict");
    broker
        .publish(Message::new("$aws/things/pump/shadow/name/cmd/update", r#"{"state":{"reported":{"n":1}}}"#))
        .expect("published");
    while let Ok(published) = tap.try_recv() {
        shadows.on_published(&published);
    }
    let updates = journal.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Shadow { thing, shadow, version, document } => Some((thing, shadow, version, document["state"].clone())),
        _ => None,
    });
    let expected = [
        ("pump".to_owned(), None, 1, json!({"desired": {"on": true}})),
        ("pump".to_owned(), Some("cmd".to_owned()), 1, json!({"reported": {"n": 1}})),
    ];
    assert_eq!(updates.collect::<Vec<_>>(), expected);
}
