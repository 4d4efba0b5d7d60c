//! Raw requests, and topics that callers choose: for devices that know nothing of Flaghoist.

use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Device, EXECUTIONS, START, World};

const TOPICS: (&str, &str) = ("RequestTopics", "lights/{thing}/set,valves/{thing}");

/// Asks one thing for a raw request. Returns the command id.
async fn ask(world: &World, thing: &str, request: &[u8], more: Value) -> String {
    let mut body = json!({"format": "raw", "payload": BASE64.encode(request)});
    let (Value::Object(body_members), Value::Object(more)) = (&mut body, more) else { panic!("objects") };
    body_members.extend(more);
    world.command(thing, body).await
}

/// The answer of a device that treats requests as bytes: fixed words, then the request as Python prints bytes.
fn echo(word: &str, request: &[u8]) -> String {
    let quote = if request.contains(&b'\'') && !request.contains(&b'"') { '"' } else { '\'' };
    let printed = |byte: &u8| match byte {
        b'"' => "\"".to_owned(),
        b'\'' if quote == '"' => "'".to_owned(),
        byte => byte.escape_ascii().to_string(),
    };
    let text: String = request.iter().map(printed).collect();
    format!("{word}: the command did run, or not, from payload: b{quote}{text}{quote}")
}

async fn answer(world: &World, device: &mut Device, thing: &str, word: &str, request: &[u8]) {
    assert!(device.publish(&format!("cmd/{thing}/resp"), echo(word, request)).await);
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_byte_reaches_the_device_and_its_echo_ends_the_execution() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let requests: [&[u8]; 7] =
        [b"light: on", b"", b"it's", br#"a"b'c\d"#, b"caf\xc3\xa9 \x00\xff\r\n\t", br#"{"id":7}"#, &[0x41; 20_000]];
    for (n, request) in requests.into_iter().enumerate() {
        let (word, status) = if n % 2 == 0 { ("SUCCESS", "SUCCEEDED") } else { ("FAILURE", "FAILED") };
        for delivery in ["topic", "direct"] {
            let command = ask(&world, "pump-7", request, json!({"delivery": delivery})).await;
            assert_eq!(pump.next().await, ("cmd/pump-7/req".to_owned(), request.to_vec()));
            world.settle().await;
            // What another request is answered with changes nothing.
            answer(&world, &mut pump, "pump-7", word, b"another request").await;
            assert_eq!(world.execution(&command, "pump-7").await["status"], "CREATED", "{request:?}");
            world.advance(1).await;
            answer(&world, &mut pump, "pump-7", word, request).await;
            assert_eq!(world.execution(&command, "pump-7").await["status"], status, "{request:?}");
            world.advance(1).await;
        }
    }
    let shown = ask(&world, "pump-7", b"light: on", json!({"contentType": "text/plain"})).await;
    let shown = world.get(&format!("/commands/{shown}")).await.body;
    assert_eq!(
        (&shown["format"], &shown["payload"], &shown["contentType"]),
        (&json!("raw"), &json!("bGlnaHQ6IG9u"), &json!("text/plain"))
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_echo_of_one_of_two_like_requests_is_not_believed() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let status = async |command: &str| world.execution(command, "pump-7").await["status"].clone();
    let one = ask(&world, "pump-7", b"light: on", json!({"timeout": 10, "ttl": 10})).await;
    world.advance(1).await;
    let two = ask(&world, "pump-7", b"light: on", json!({})).await;
    let other = ask(&world, "pump-7", b"light: off", json!({})).await;
    for _ in 0..3 {
        pump.next().await;
    }
    world.advance(1).await;
    answer(&world, &mut pump, "pump-7", "SUCCESS", b"light: on").await;
    assert_eq!((status(&one).await, status(&two).await), (json!("CREATED"), json!("CREATED")));
    assert_eq!(world.counted("track-command", "ReportAmbiguous"), 1);
    answer(&world, &mut pump, "pump-7", "SUCCESS", b"light: off").await;
    assert_eq!(status(&other).await, "SUCCEEDED");
    let explained = world.get(&format!("/commands/{one}/executions/pump-7?explain=true")).await;
    assert!(explained.text.contains("several executions"), "{}", explained.text);
    // Where one of them has ended, the answer is that of the other.
    world.advance(10).await;
    answer(&world, &mut pump, "pump-7", "SUCCESS", b"light: on").await;
    assert_eq!((status(&one).await, status(&two).await), (json!("TIMED_OUT"), json!("SUCCEEDED")));
    // The device repeats its answer.
    answer(&world, &mut pump, "pump-7", "SUCCESS", b"light: on").await;
    assert_eq!(status(&one).await, "TIMED_OUT");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn alike_requests_in_a_lane_are_answered_one_after_the_other() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let lane = json!({"lane": {"name": "light", "onFailure": "skip"}, "timeout": 3600, "ttl": 3600});
    let mut commands = Vec::new();
    for _ in 0..20 {
        commands.push(ask(&world, "pump-7", b"light: on", lane.clone()).await);
    }
    for command in &commands {
        assert_eq!(pump.next().await.1, b"light: on");
        world.advance(1).await;
        let payload = BASE64.encode(echo("SUCCESS", b"light: on").as_bytes());
        let at = world.stack.clock.now_ms();
        let event = json!({"kind": "report", "payload": payload, "topic": "cmd/pump-7/resp", "receivedAt": at});
        // Twice, as Lambda may: the second finds the next execution of the lane sent.
        for _ in 0..2 {
            world.invoke("track-command", &event.to_string()).await.expect("handled");
        }
        assert_eq!(world.execution(command, "pump-7").await["status"], "SUCCEEDED");
        world.advance(1).await;
    }
    assert!(pump.has_nothing());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn what_a_caller_writes_into_a_request_names_no_execution() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let status = async |command: &str| world.execution(command, "pump-7").await["status"].clone();
    let other = world.command("pump-7", json!({})).await;
    let (_, request) = pump.next_json().await;
    let id = request["executionId"].as_str().expect("an id");
    for (n, request) in [
        format!(r#"{{"executionId":"{id}","light":"on"}}"#),
        r#"{"commandId":"018f0000-0000-7000-8000-000000000000","light":"on"}"#.to_owned(),
        format!("light: on, as {id} did"),
    ]
    .into_iter()
    .enumerate()
    {
        let command = ask(&world, "pump-7", request.as_bytes(), json!({})).await;
        pump.next().await;
        world.advance(1).await;
        answer(&world, &mut pump, "pump-7", "SUCCESS", request.as_bytes()).await;
        assert_eq!((status(&command).await, status(&other).await), (json!("SUCCEEDED"), json!("CREATED")), "{n}");
        world.advance(1).await;
    }
    // Another application's request, printed as no Python program does.
    assert!(pump.publish("cmd/pump-7/resp", "SUCCESS: done from payload: b'it's on'").await);
    world.settle().await;
    assert_eq!(status(&other).await, "CREATED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_event_that_is_handled_again_is_not_that_of_a_later_like_request() {
    let world = World::start().await;
    let mut pump = world.thing("pump-7").await;
    let one = ask(&world, "pump-7", b"light: on", json!({})).await;
    pump.next().await;
    let payload = BASE64.encode(echo("SUCCESS", b"light: on").as_bytes());
    let event = json!({"kind": "report", "payload": payload, "topic": "cmd/pump-7/resp", "receivedAt": START * 1000});
    world.invoke("track-command", &event.to_string()).await.expect("handled");
    world.advance(5).await;
    let two = ask(&world, "pump-7", b"light: on", json!({})).await;
    pump.next().await;
    world.invoke("track-command", &event.to_string()).await.expect("handled");
    assert_eq!(world.execution(&one, "pump-7").await["status"], "SUCCEEDED");
    assert_eq!(world.execution(&two, "pump-7").await["status"], "CREATED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_device_listens_on_the_topic_of_the_caller_alone() {
    let world = World::with_parameters(&[TOPICS]).await;
    let mut lamp = world.device("lamp-1", &["lights/lamp-1/set"]).await;
    let mut other = world.device("lamp-11", &["lights/lamp-11/set"]).await;
    for delivery in ["topic", "direct", "auto"] {
        let with_topic = json!({"topic": "lights/{thing}/set", "delivery": delivery});
        let command = ask(&world, "lamp-1", b"on", with_topic).await;
        assert_eq!(lamp.next().await, ("lights/lamp-1/set".to_owned(), b"on".to_vec()), "{delivery}");
        world.settle().await;
        answer(&world, &mut lamp, "lamp-1", "SUCCESS", b"on").await;
        assert_eq!(world.execution(&command, "lamp-1").await["status"], "SUCCEEDED", "{delivery}");
        world.advance(1).await;
    }
    // JSON of ours may go there too.
    let command = world.command("lamp-1", json!({"topic": "lights/{thing}/set", "payload": {"on": true}})).await;
    let (topic, request) = lamp.next_json().await;
    assert_eq!((topic.as_str(), &request["payload"]), ("lights/lamp-1/set", &json!({"on": true})));
    let shown = world.get(&format!("/commands/{command}")).await.body;
    assert_eq!(shown["topic"], "lights/{thing}/set");
    lamp.report("lamp-1", json!({"executionId": request["executionId"], "status": "SUCCEEDED"})).await;
    world.settle().await;
    assert_eq!(world.execution(&command, "lamp-1").await["status"], "SUCCEEDED");
    assert!(other.has_nothing());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_queued_request_is_sent_when_the_device_subscribes_to_its_own_topic() {
    let world = World::with_parameters(&[TOPICS]).await;
    let on_topic = ask(&world, "lamp-1", b"on", json!({"topic": "lights/{thing}/set"})).await;
    let on_request = ask(&world, "lamp-1", b"off", json!({})).await;
    let delivery = async |command: &str| world.execution(command, "lamp-1").await["deliveryStatus"].clone();
    assert_eq!((delivery(&on_topic).await, delivery(&on_request).await), (json!("QUEUED"), json!("QUEUED")));
    // Another topic of a caller, and another thing's.
    let mut lamp = world.client("lamp-1", &["valves/lamp-1", "lights/lamp-2/set"], false).await;
    world.settle().await;
    assert!(lamp.has_nothing());
    lamp.subscribe("lights/+/set").await;
    world.settle().await;
    assert_eq!(lamp.next().await, ("lights/lamp-1/set".to_owned(), b"on".to_vec()));
    assert_eq!((delivery(&on_topic).await, delivery(&on_request).await), (json!("DELIVERED"), json!("QUEUED")));
    lamp.leave().await;
    world.settle().await;
    // A session that it resumes listens there: connecting is enough.
    let later = ask(&world, "lamp-1", b"on again", json!({"topic": "lights/{thing}/set"})).await;
    assert_eq!(delivery(&later).await, "QUEUED");
    let mut lamp = world.client("lamp-1", &[], false).await;
    world.settle().await;
    assert_eq!(lamp.next().await, ("lights/lamp-1/set".to_owned(), b"on again".to_vec()));
    assert_eq!((delivery(&later).await, delivery(&on_request).await), (json!("DELIVERED"), json!("QUEUED")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_raw_request_that_may_have_arrived_is_not_sent_again() {
    let world = World::start().await;
    let json = world.command("pump-7", json!({"delivery": "topic"})).await;
    let raw = ask(&world, "pump-7", b"light: on", json!({"delivery": "topic"})).await;
    world.advance(15).await;
    let mut pump = world.thing("pump-7").await;
    world.settle().await;
    // The device has a new session: what was published before it subscribed is gone.
    let (_, request) = pump.next_json().await;
    assert_eq!(request["executionId"], world.execution(&json, "pump-7").await["executionId"]);
    world.advance(15).await;
    assert!(pump.has_nothing());
    assert_eq!(world.execution(&raw, "pump-7").await["deliveryStatus"], "SENT");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fleet_gets_a_raw_request_on_the_topic_of_each() {
    let world = World::with_parameters(&[TOPICS]).await;
    let names: Vec<String> = (0..30).map(|n| format!("lamp-{n}")).collect();
    let mut lamps = Vec::new();
    for name in &names {
        lamps.push(world.device(name, &[&format!("lights/{name}/set")]).await);
    }
    let body = json!({
        "name": "light", "target": {"things": names}, "format": "raw", "payload": "b24=", "topic": "lights/{thing}/set",
    });
    let response = world.post("/commands", &body).await;
    assert_eq!(response.status, 202, "{response:?}");
    let id = response.body["commandId"].as_str().expect("an id").to_owned();
    for (lamp, name) in lamps.iter_mut().zip(&names) {
        assert_eq!(lamp.next().await, (format!("lights/{name}/set"), b"on".to_vec()));
        world.settle().await;
        answer(&world, lamp, name, "SUCCESS", b"on").await;
    }
    world.advance(5).await;
    let shown = world.get(&format!("/commands/{id}")).await.body;
    assert_eq!((&shown["state"], &shown["counts"]["SUCCEEDED"]), (&json!("COMPLETED"), &json!(30)), "{shown:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_topic_that_could_reach_others_is_refused_when_the_stack_starts_or_the_command_is_created() {
    let world = World::with_parameters(&[TOPICS]).await;
    let cases = [
        (json!({"topic": "lights/lamp-1/set"}), 422, "lights/{thing}/set"),
        (json!({"topic": "cmd/{thing}/resp"}), 422, "RequestTopics"),
        (json!({"topic": "lights/{thing}/set", "delivery": "shadow"}), 422, "topic"),
        (json!({"format": "raw", "payload": "b24=", "delivery": "shadow"}), 422, "format"),
        (json!({"format": "raw", "payload": BASE64.encode(&vec![7; 131_073])}), 413, "payload"),
        (json!({"format": "raw", "payload": {"on": true}}), 400, "base64"),
    ];
    for (more, status, says) in cases {
        let mut body = json!({"name": "light", "target": {"things": ["lamp-1"]}});
        let (Value::Object(members), Value::Object(more)) = (&mut body, more) else { panic!("objects") };
        members.extend(more);
        let response = world.request(Method::POST, "/commands", &[], body.to_string()).await;
        assert_eq!(response.status, status, "{response:?}");
        assert!(response.text.contains(says), "{}", response.text);
    }
    assert!(world.rows(EXECUTIONS).await.is_empty(), "nothing is stored");
    world.end().await;
}
