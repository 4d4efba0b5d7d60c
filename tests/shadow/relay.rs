//! A device of the IoT Atlas page "Command - Device Shadow": it takes commands from the classic shadow, compares their
//! ttl with the delta's timestamp, relays each message to the topic in the command, and reports an echo of the command.

use serde_json::{Value, json};

use crate::world::{Device, World};

const TOKEN: &str = "a-constant-token";

pub struct Relay {
    /// None after a disconnect: the program does not reconnect.
    device: Option<Device>,
    thing: String,
    /// The newest shadow version that was handled, in memory only.
    version: u64,
    motor: Value,
    /// Messages of the commands that ran.
    pub relayed: Vec<Value>,
    /// Whether relayed messages are published.
    pub relays: bool,
    /// Whether reported state is published.
    pub echoes: bool,
    /// Markers published so far.
    marks: u32,
}

/// The program ends: a message is not what it expects.
struct Exit;

impl Relay {
    /// Connects with a clean session, subscribes, and requests the shadow, as the program does once at its start.
    pub async fn start(world: &World, thing: &str) -> Self {
        let shadow = format!("$aws/things/{thing}/shadow");
        let filters = ["update/accepted", "update/rejected", "get/accepted", "get/rejected", "update/delta"];
        let filters: Vec<String> = filters.iter().map(|topic| format!("{shadow}/{topic}")).collect();
        let mark = format!("test/{thing}/mark");
        let filters: Vec<&str> = filters.iter().map(String::as_str).chain([mark.as_str()]).collect();
        let mut device = world.device(thing, &filters).await;
        assert!(device.publish(&format!("{shadow}/get"), json!({"clientToken": TOKEN}).to_string()).await);
        let thing = thing.to_owned();
        Self {
            device: Some(device),
            thing,
            version: 0,
            motor: json!("off"),
            relayed: Vec::new(),
            relays: true,
            echoes: true,
            marks: 0,
        }
    }

    pub fn is_connected(&self) -> bool {
        self.device.is_some()
    }

    pub async fn leave(&mut self) {
        if let Some(device) = self.device.take() {
            device.leave().await;
        }
    }

    /// Handles received messages until no more arrive.
    pub async fn catch_up(&mut self, world: &World) {
        loop {
            world.settle().await;
            let messages = self.received().await;
            if messages.is_empty() {
                return;
            }
            for (topic, message) in messages {
                if self.device.is_some() && self.handle(world, &topic, &message).await.is_err() {
                    self.leave().await;
                }
            }
        }
    }

    /// All messages before a marker that the device publishes to itself.
    async fn received(&mut self) -> Vec<(String, Value)> {
        let Some(device) = &mut self.device else { return Vec::new() };
        let mark = format!("test/{}/mark", self.thing);
        self.marks += 1;
        assert!(device.publish(&mark, self.marks.to_string()).await);
        let mut messages = Vec::new();
        loop {
            match device.next_json().await {
                (topic, n) if topic == mark && n == self.marks => return messages,
                (topic, _) if topic == mark => {}
                message => messages.push(message),
            }
        }
    }

    async fn handle(&mut self, world: &World, topic: &str, message: &Value) -> Result<(), Exit> {
        let state = match topic.rsplit_once("/shadow/").map(|(_, operation)| operation) {
            Some("get/accepted") if message["clientToken"] == TOKEN => &message["state"]["delta"],
            Some("update/delta") => &message["state"],
            Some("get/rejected") if message["code"] != 404 => return Err(Exit),
            Some("update/rejected") => return Err(Exit),
            _ => return Ok(()),
        };
        let version = message["version"].as_u64().ok_or(Exit)?;
        if version <= self.version || state.is_null() {
            return Ok(());
        }
        self.version = version;
        let mut reported = json!({});
        if let Some(attributes) = state.get("deviceAttrib").filter(|attributes| !attributes.is_null()) {
            self.motor = attributes["motorStatus"].clone();
            reported["deviceAttrib"] = json!({"motorStatus": self.motor});
        }
        let commands = match state.get("command") {
            None | Some(Value::Null) => Vec::new(),
            Some(commands) => commands.as_array().ok_or(Exit)?.clone(),
        };
        for command in commands {
            let Some(relay) = command.get("relay-command") else { continue };
            let ttl = relay["ttl"].as_i64().ok_or(Exit)?;
            let written = message["timestamp"].as_i64().ok_or(Exit)?;
            if world.stack.clock.now_s() - written > ttl {
                continue;
            }
            let topic = relay["topic"].as_str().ok_or(Exit)?;
            self.relayed.push(relay["message"].clone());
            let device = self.device.as_mut().ok_or(Exit)?;
            if self.relays {
                let relayed = json!({"msg": relay["message"], "deviceId": self.thing});
                assert!(device.publish(topic, relayed.to_string()).await);
            }
            let echo = json!({"message": relay["message"], "topic": topic, "ttl": ttl});
            reported["command"] = json!([{"relay-command": echo}]);
        }
        if reported != json!({}) && self.echoes {
            let update = json!({"state": {"reported": reported}, "clientToken": TOKEN});
            let device = self.device.as_mut().ok_or(Exit)?;
            assert!(device.publish(&format!("$aws/things/{}/shadow/update", self.thing), update.to_string()).await);
        }
        Ok(())
    }
}
