//! What a command's life costs in write units, as the tables themselves count it, indexes included. Devices answer once,
//! when they are done, unless it says otherwise.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Device, World};

/// One world for all lives, and what they cost.
struct Costs {
    world: World,
    table: Vec<(&'static str, f64)>,
}

impl Costs {
    async fn start() -> Self {
        // The reconciler runs when it is told to.
        let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 day)")).await;
        Self { world, table: Vec::new() }
    }

    async fn begin(&self) {
        self.world.stack.settle().await;
        self.world.stack.dynamodb.forget_capacity();
    }

    /// What was written since it began.
    async fn end(&mut self, what: &'static str) -> f64 {
        self.world.stack.settle().await;
        let written = self.world.stack.dynamodb.capacity().values().map(|units| units.write).sum();
        self.table.push((what, written));
        self.begin().await;
        written
    }

    async fn thing(&self, thing: &str) -> Device {
        let device = self.world.thing(thing).await;
        self.begin().await;
        device
    }

    async fn tick(&self, seconds: u64) {
        self.world.advance(seconds).await;
        let tick = json!({"kind": "tick", "scheduledTime": self.world.now()}).to_string();
        self.world.invoke("reconcile-commands", &tick).await.expect("a tick");
    }

    /// The device takes the next request, and says this.
    async fn answer(&self, device: &mut Device, thing: &str, status: &str) -> Value {
        let (_, request) = device.next_json().await;
        self.say(device, thing, &request["executionId"], json!({"status": status, "attempt": request["attempt"]}))
            .await;
        request["executionId"].clone()
    }

    async fn say(&self, device: &mut Device, thing: &str, id: &Value, mut word: Value) {
        self.world.stack.settle().await;
        word["executionId"] = id.clone();
        device.report(thing, word).await;
        self.world.stack.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commands_life_stays_within_its_write_units() {
    let mut costs = Costs::start().await;
    for (what, delivery) in [("topic", "topic"), ("direct", "direct")] {
        let mut device = costs.thing(what).await;
        costs.world.command(what, json!({"delivery": delivery})).await;
        costs.answer(&mut device, what, "SUCCEEDED").await;
        costs.end(what).await;
    }

    let mut device = costs.thing("beats").await;
    costs.world.command("beats", json!({"ttl": 60, "timeout": 3600, "heartbeat": 30})).await;
    let id = costs.answer(&mut device, "beats", "IN_PROGRESS").await;
    costs.end("direct, up to IN_PROGRESS").await;
    for (what, word) in [
        ("a counted heartbeat", json!({"status": "IN_PROGRESS", "seq": 1})),
        ("an uncounted heartbeat", json!({"status": "IN_PROGRESS"})),
        ("another counted heartbeat", json!({"status": "IN_PROGRESS", "seq": 2})),
    ] {
        costs.world.advance(30).await;
        costs.begin().await;
        costs.say(&mut device, "beats", &id, word).await;
        costs.end(what).await;
    }
    costs.say(&mut device, "beats", &id, json!({"status": "SUCCEEDED"})).await;
    costs.end("SUCCEEDED after IN_PROGRESS").await;

    for (what, shadow) in [("shadow, map", "map"), ("shadow, atlas", "atlas")] {
        let thing = shadow;
        let mut device = costs.thing(thing).await;
        let command = costs.world.command(thing, json!({"delivery": "shadow", "shadow": shadow})).await;
        let id = costs.world.execution(&command, thing).await["executionId"].clone();
        costs.say(&mut device, thing, &id, json!({"status": "SUCCEEDED"})).await;
        costs.end(what).await;
    }

    let mut device = costs.thing("again").await;
    let retry = json!({"attempts": 2, "on": ["FAILED"], "backoff": {"base": 1, "cap": 5}});
    costs.world.command("again", json!({"retry": retry})).await;
    costs.answer(&mut device, "again", "FAILED").await;
    costs.tick(10).await;
    costs.answer(&mut device, "again", "SUCCEEDED").await;
    costs.end("two attempts").await;

    let mut device = costs.thing("lane").await;
    for _ in 0..2 {
        costs.world.command("lane", json!({"lane": "valve"})).await;
    }
    for _ in 0..2 {
        costs.answer(&mut device, "lane", "SUCCEEDED").await;
    }
    costs.end("two in a lane, together").await;

    costs.begin().await;
    costs.world.command("away", json!({"delivery": "direct"})).await;
    let mut device = costs.world.thing("away").await;
    costs.answer(&mut device, "away", "SUCCEEDED").await;
    costs.end("queued and replayed").await;

    let command = costs.world.command("never", json!({})).await;
    let answer = costs.world.request(Method::POST, &format!("/commands/{command}/cancel"), &[], "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    costs.end("queued and canceled").await;

    costs.world.command("expires", json!({"delivery": "topic", "ttl": 60})).await;
    costs.tick(61).await;
    costs.end("topic, expired").await;

    println!("{:>28}  write units", "life");
    for (what, units) in &costs.table {
        println!("{what:>28}  {units}");
    }
    let measured = costs.table.clone();
    let of = |what: &str| measured.iter().find(|(name, _)| *name == what).expect(what).1;
    assert!(of("topic") <= 5.0 && of("direct") <= 6.0, "{measured:?}");
    for beat in ["a counted heartbeat", "an uncounted heartbeat", "another counted heartbeat"] {
        assert_eq!(of(beat), 1.0, "{beat}: {measured:?}");
    }
    assert_eq!((of("shadow, map"), of("topic, expired")), (5.0, 5.0));
    // What the others cost today: more would be seen here.
    for (what, most) in [
        ("shadow, atlas", 12.0),
        ("two attempts", 13.0),
        ("two in a lane, together", 24.0),
        ("queued and replayed", 11.0),
        ("queued and canceled", 6.0),
    ] {
        assert!(of(what) <= most, "{what}: {} write units, {measured:?}", of(what));
    }
    costs.world.end().await;
}
