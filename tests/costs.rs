//! Write units per command from creation to its end, as the tables count them, indexes included; with its messages on
//! the queue of ticks, and its progress events. A device reports only its final status unless a step says otherwise.

use local::journal::Event;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Device, World};

/// One world for all scenarios, and the measured costs.
struct Costs {
    world: World,
    table: Vec<Cost>,
    /// Messages on the queue of ticks before the scenario.
    messages_before: u64,
    /// Progress events before the scenario.
    events_before: usize,
}

/// What one scenario has cost.
#[derive(Clone, Debug)]
struct Cost {
    scenario: &'static str,
    write_units: f64,
    /// Messages on the queue of ticks.
    messages: u64,
    /// Progress events, each of which is an MQTT message.
    events: usize,
}

impl Costs {
    async fn start() -> Self {
        // The reconciler runs only in `tick`.
        let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 day)")).await;
        Self { world, table: Vec::new(), messages_before: 0, events_before: 0 }
    }

    async fn reset(&self) {
        self.world.settle().await;
        self.world.stack.dynamodb.reset_capacity();
    }

    /// Records the cost since the last reset under this name.
    async fn record(&mut self, scenario: &'static str) {
        self.world.settle().await;
        // The stream's batches wait for a second.
        self.world.advance(2).await;
        let write_units = self.world.stack.dynamodb.capacity().values().map(|units| units.write).sum();
        let (messages, events) = (self.world.stack.sqs.sent("flaghoist-ticks"), self.progress_events());
        let (more_messages, more_events) = (messages - self.messages_before, events - self.events_before);
        self.table.push(Cost { scenario, write_units, messages: more_messages, events: more_events });
        (self.messages_before, self.events_before) = (messages, events);
        self.reset().await;
    }

    fn progress_events(&self) -> usize {
        let is_one =
            |event: &Event| matches!(event, Event::Published { topic, .. } if topic.starts_with("cmd/commands/"));
        self.world.stack.journal.entries().iter().filter(|entry| is_one(&entry.event)).count()
    }

    async fn thing(&self, thing: &str) -> Device {
        let device = self.world.thing(thing).await;
        self.reset().await;
        device
    }

    async fn tick(&self, seconds: u64) {
        self.world.advance(seconds).await;
        let tick = json!({"kind": "tick", "scheduledTime": self.world.now()}).to_string();
        self.world.invoke("reconcile-commands", &tick).await.expect("a tick");
    }

    /// Waits for the next request and reports this status. Returns the execution id.
    async fn report_next(&self, device: &mut Device, thing: &str, status: &str) -> Value {
        let (_, request) = device.next_json().await;
        let report = json!({"status": status, "attempt": request["attempt"]});
        self.report(device, thing, &request["executionId"], report).await;
        request["executionId"].clone()
    }

    async fn report(&self, device: &mut Device, thing: &str, id: &Value, mut report: Value) {
        self.world.settle().await;
        report["executionId"] = id.clone();
        device.report(thing, report).await;
        self.world.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_command_stays_within_its_write_units() {
    let mut costs = Costs::start().await;
    for delivery in ["topic", "direct"] {
        let mut device = costs.thing(delivery).await;
        costs.world.command(delivery, json!({"delivery": delivery})).await;
        costs.report_next(&mut device, delivery, "SUCCEEDED").await;
        costs.record(delivery).await;
    }

    let mut device = costs.thing("heartbeats").await;
    costs.world.command("heartbeats", json!({"ttl": 60, "timeout": 3600, "heartbeat": 30})).await;
    let id = costs.report_next(&mut device, "heartbeats", "IN_PROGRESS").await;
    costs.record("direct, up to IN_PROGRESS").await;
    for (scenario, report) in [
        ("a counted heartbeat", json!({"status": "IN_PROGRESS", "seq": 1})),
        ("an uncounted heartbeat", json!({"status": "IN_PROGRESS"})),
        ("another counted heartbeat", json!({"status": "IN_PROGRESS", "seq": 2})),
    ] {
        costs.world.advance(30).await;
        costs.reset().await;
        costs.report(&mut device, "heartbeats", &id, report).await;
        costs.record(scenario).await;
    }
    costs.report(&mut device, "heartbeats", &id, json!({"status": "SUCCEEDED"})).await;
    costs.record("SUCCEEDED after IN_PROGRESS").await;

    for (scenario, shadow) in [("shadow, map", "map"), ("shadow, atlas", "atlas")] {
        let thing = shadow;
        let mut device = costs.thing(thing).await;
        let command = costs.world.command(thing, json!({"delivery": "shadow", "shadow": shadow})).await;
        let id = costs.world.execution(&command, thing).await["executionId"].clone();
        costs.report(&mut device, thing, &id, json!({"status": "SUCCEEDED"})).await;
        costs.record(scenario).await;
    }

    let mut device = costs.thing("retried").await;
    let retry = json!({"attempts": 2, "on": ["FAILED"], "backoff": {"base": 1, "cap": 5}});
    costs.world.command("retried", json!({"retry": retry})).await;
    costs.report_next(&mut device, "retried", "FAILED").await;
    costs.tick(10).await;
    costs.report_next(&mut device, "retried", "SUCCEEDED").await;
    costs.record("two attempts").await;

    let mut device = costs.thing("lane").await;
    for _ in 0..2 {
        costs.world.command("lane", json!({"lane": "valve"})).await;
    }
    for _ in 0..2 {
        costs.report_next(&mut device, "lane", "SUCCEEDED").await;
    }
    costs.record("two in a lane, together").await;

    costs.reset().await;
    costs.world.command("queued", json!({"delivery": "direct"})).await;
    let mut device = costs.world.thing("queued").await;
    costs.report_next(&mut device, "queued", "SUCCEEDED").await;
    costs.record("queued, then sent on connect").await;

    let command = costs.world.command("canceled", json!({})).await;
    let response = costs.world.request(Method::POST, &format!("/commands/{command}/cancel"), &[], "").await;
    assert_eq!(response.status, 200, "{response:?}");
    costs.record("queued and canceled").await;

    costs.world.command("expires", json!({"delivery": "topic", "ttl": 60})).await;
    costs.tick(61).await;
    costs.record("topic, expired").await;

    println!("{:>28}  write units  messages  events", "scenario");
    for Cost { scenario, write_units, messages, events } in &costs.table {
        println!("{scenario:>28}  {write_units:>11}  {messages:>8}  {events:>6}");
    }
    let measured = costs.table.clone();
    let of = |scenario: &str| measured.iter().find(|cost| cost.scenario == scenario).expect(scenario);
    let units = |scenario: &str| of(scenario).write_units;
    let messages = |scenario: &str| of(scenario).messages;
    assert!(units("topic") <= 5.0 && units("direct") <= 6.0, "{measured:?}");
    for heartbeat in ["a counted heartbeat", "an uncounted heartbeat", "another counted heartbeat"] {
        assert_eq!(units(heartbeat), 1.0, "{heartbeat}: {measured:?}");
    }
    assert_eq!((units("shadow, map"), units("topic, expired")), (5.0, 5.0));
    // The present costs are the limits: a higher cost has to be seen.
    for (scenario, max_units) in [
        ("shadow, atlas", 12.0),
        ("two attempts", 13.0),
        ("two in a lane, together", 24.0),
        ("queued, then sent on connect", 11.0),
        ("queued and canceled", 6.0),
    ] {
        assert!(units(scenario) <= max_units, "{scenario}: {} write units, {measured:?}", units(scenario));
    }
    // What is answered long before it would be due costs no message; what is due soon has one for each time.
    for (scenario, most) in [
        ("topic", 0),
        ("direct", 0),
        ("a counted heartbeat", 1),
        ("an uncounted heartbeat", 1),
        ("another counted heartbeat", 1),
        ("shadow, map", 0),
        ("two attempts", 3),
        ("two in a lane, together", 6),
        ("queued, then sent on connect", 1),
        ("queued and canceled", 0),
        ("topic, expired", 1),
    ] {
        assert!(messages(scenario) <= most, "{scenario}: {} messages, {measured:?}", messages(scenario));
    }
    assert_eq!(messages("topic, expired"), 1);
    // One for each change that an operator sees. A heartbeat is none.
    for (scenario, events) in [
        ("topic", 2),
        ("direct", 3),
        ("direct, up to IN_PROGRESS", 3),
        ("a counted heartbeat", 0),
        ("an uncounted heartbeat", 0),
        ("SUCCEEDED after IN_PROGRESS", 1),
        ("shadow, map", 2),
        ("two attempts", 5),
        ("queued, then sent on connect", 5),
        ("queued and canceled", 3),
        ("topic, expired", 2),
    ] {
        assert_eq!(of(scenario).events, events, "{scenario}: {measured:?}");
    }
    costs.world.end().await;
}
