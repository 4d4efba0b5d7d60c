//! Out in the field: devices, and the network between them and the broker.

use std::ops::ControlFlow;

use bytes::Bytes;
use local::{broker::Published, rules::Context};
use serde_json::Value;

use crate::{
    device::{Act, Request, Saying, Wake},
    history::{Delivery, Run, Told, Word},
    mqtt::{Arrival, Connection, Packet},
    world::{Event, World},
};

impl World<'_> {
    pub fn connect(&mut self, thing: usize) {
        self.last_connection += 1;
        let device = &mut self.devices[thing];
        if !device.is_on || device.connection.is_some() {
            return;
        }
        let (name, filters) = (device.thing.name.clone(), device.filters());
        device.is_ready = false;
        device.unheard = None;
        let connection = Connection::open(&self.broker, &self.arrivals, thing, self.last_connection, &name, &filters);
        device.connection = Some(connection);
        self.tell(|| format!("{name} connects"));
    }

    /// The connection breaks; the device soon makes another.
    pub fn disconnect(&mut self, thing: usize, connection: Option<u64>) {
        let device = &mut self.devices[thing];
        let current = device.connection.as_ref().map(|connection| connection.number);
        if current.is_none() || connection.is_some_and(|number| current != Some(number)) {
            return;
        }
        device.connection = None;
        device.is_ready = false;
        let name = device.thing.name.clone();
        self.tell(|| format!("{name} loses its connection"));
        let after_ms = self.dice.between(100, 20_000);
        self.after(after_ms, Event::Connect { thing });
    }

    pub fn leave(&mut self, thing: usize, for_ms: i64, power: bool) {
        let device = &mut self.devices[thing];
        if !device.is_on {
            return;
        }
        let name = device.thing.name.clone();
        device.connection = None;
        device.is_ready = false;
        if power {
            device.lose_power();
        }
        self.tell(|| format!("{name} goes away, power lost: {power}"));
        self.after(for_ms, Event::Back { thing, power });
    }

    pub fn come_back(&mut self, thing: usize, power: bool) {
        let acts = if power { self.devices[thing].start() } else { Vec::new() };
        self.connect(thing);
        self.act(thing, acts);
    }

    pub fn wake(&mut self, thing: usize, life: u32, wake: Wake) {
        if self.devices[thing].life != life || !self.devices[thing].is_on {
            return;
        }
        let acts = self.devices[thing].on_wake(wake, &mut self.dice);
        self.act(thing, acts);
    }

    pub fn act(&mut self, thing: usize, acts: Vec<Act>) {
        let (at_ms, name, life) = (self.now_ms(), self.devices[thing].thing.name.clone(), self.devices[thing].life);
        for act in acts {
            match act {
                Act::Run { execution, attempt } => {
                    self.tell(|| format!("{name} runs {execution}, attempt {attempt}"));
                    self.history.runs.push(Run { at_ms, thing: name.clone(), execution, attempt });
                }
                Act::Later { after_ms, wake } => self.after(after_ms, Event::Wake { thing, life, wake }),
                Act::Say(saying) => self.say(thing, saying),
                Act::Got(request) => self.history.deliveries.push(Delivery {
                    at_ms,
                    thing: name.clone(),
                    execution: request.execution_id,
                    attempt: request.attempt,
                    expires_at_ms: request.expires_at * 1000,
                }),
            }
        }
    }

    /// Puts a report on its way: once it is acknowledged, it has arrived.
    fn say(&mut self, thing: usize, saying: Saying) {
        let name = self.devices[thing].thing.name.clone();
        self.tell(|| format!("{name} says {} on {}", saying.payload, saying.topic));
        self.sayings.insert((saying.topic.clone(), saying.payload.clone()), saying.clone());
        let twice = self.dice.chance(self.weather.messages);
        let device = &mut self.devices[thing];
        device.last_packet = device.last_packet.wrapping_add(1).max(1);
        let packet_id = device.last_packet;
        device.unacknowledged.insert(packet_id, saying);
        if self.publish(thing, packet_id).is_continue() && twice {
            let _ = self.publish(thing, packet_id);
        }
    }

    /// Sends what is not acknowledged, if there is a connection; broken off where the connection breaks by it.
    fn publish(&mut self, thing: usize, packet_id: u16) -> ControlFlow<()> {
        let bad = self.dice.chance(self.weather.messages);
        let arrives = !bad || self.dice.chance(500);
        let device = &mut self.devices[thing];
        let (Some(connection), true) = (&device.connection, device.is_ready) else { return ControlFlow::Break(()) };
        let number = connection.number;
        if let Some(saying) = device.unacknowledged.get(&packet_id).filter(|_| arrives) {
            connection.publish(&saying.topic, saying.payload.as_bytes(), packet_id);
        }
        if !bad {
            return ControlFlow::Continue(());
        }
        // Either it never arrives, or its acknowledgement does not.
        device.unheard = Some(packet_id);
        self.after(2, Event::Break { thing, connection: number });
        ControlFlow::Break(())
    }

    /// Something came over a connection.
    pub fn arrived(&mut self, arrival: Arrival) {
        let Arrival { thing, connection, packet } = arrival;
        let device = &mut self.devices[thing];
        if device.connection.as_ref().is_none_or(|current| current.number != connection) {
            return;
        }
        match packet {
            Packet::Ready => {
                device.is_ready = true;
                self.look(thing, None);
                let device = &mut self.devices[thing];
                let left: Vec<u16> = device.unacknowledged.keys().copied().collect();
                for packet_id in left {
                    if self.publish(thing, packet_id).is_break() {
                        return;
                    }
                }
            }
            Packet::Ack(packet_id) => {
                if device.unheard != Some(packet_id) {
                    device.unacknowledged.remove(&packet_id);
                }
            }
            Packet::Closed => self.disconnect(thing, Some(connection)),
            Packet::Publish { topic, payload, packet_id } => self.carry(thing, connection, topic, payload, packet_id),
        }
    }

    /// A message is on its last mile: late, twice, or never over this connection.
    fn carry(&mut self, thing: usize, connection: u64, topic: String, payload: Bytes, packet_id: Option<u16>) {
        let deliver = |payload: &Bytes| Event::Deliver {
            thing,
            connection,
            topic: topic.clone(),
            payload: payload.clone(),
            packet_id,
        };
        if !self.dice.chance(self.weather.messages) {
            let after_ms = self.dice.between(1, 50);
            return self.after(after_ms, deliver(&payload));
        }
        match self.dice.below(4) {
            0 => self.after(5, Event::Break { thing, connection }),
            1 => {
                self.after(10, deliver(&payload));
                let after_ms = self.dice.between(10, 60_000);
                self.after(after_ms, deliver(&payload));
            }
            _ => {
                let after_ms = self.dice.between(50, 30_000);
                self.after(after_ms, deliver(&payload));
            }
        }
    }

    pub fn deliver(&mut self, thing: usize, connection: u64, topic: &str, payload: &Bytes, packet_id: Option<u16>) {
        let at_ms = self.now_ms();
        let unheard = self.dice.chance(self.weather.messages);
        let device = &mut self.devices[thing];
        let Some(current) = device.connection.as_ref().filter(|current| current.number == connection) else { return };
        if let Some(packet_id) = packet_id.filter(|_| !unheard) {
            current.acknowledge(packet_id);
        }
        let name = device.thing.name.clone();
        let echo = String::from_utf8_lossy(payload).into_owned();
        if unheard {
            self.after(5, Event::Break { thing, connection });
        }
        if topic.starts_with("$aws/things/") {
            return self.on_shadow(thing, topic, &echo);
        }
        if topic.ends_with("/cancel") {
            self.tell(|| format!("{name} is told {echo}"));
            let told: Value = serde_json::from_str(&echo).expect("a notice");
            let execution = told["executionId"].as_str().expect("which").to_owned();
            self.devices[thing].on_cancel(&execution);
            return self.history.cancels.push(Told { at_ms, thing: name, execution });
        }
        let device = &mut self.devices[thing];
        match serde_json::from_slice::<Request>(payload) {
            Ok(request) => {
                self.history.deliveries.push(Delivery {
                    at_ms,
                    thing: name.clone(),
                    execution: request.execution_id.clone(),
                    attempt: request.attempt,
                    expires_at_ms: request.expires_at * 1000,
                });
                let acts = device.on_request(request, echo.clone(), false, at_ms, &mut self.dice);
                self.tell(|| format!("{name} gets {echo}"));
                self.act(thing, acts);
            }
            Err(error) => panic!("{name} got {echo}: {error}"),
        }
    }

    /// The broker has taken a message: shadows and rules see it.
    pub fn published(&mut self, published: Published) {
        self.shadows.on_published(&published);
        let (topic, payload) = (published.message.topic.clone(), published.message.payload.clone());
        let text = String::from_utf8_lossy(&payload).into_owned();
        let saying = published.publisher.client_id.as_ref().and_then(|_| self.sayings.get(&(topic.clone(), text)));
        let thing = published.publisher.client_id.clone().unwrap_or_default();
        let word = saying.cloned().map(|saying| {
            let Saying { execution, attempt, said, named, .. } = saying;
            self.history.words.push(Word {
                at_ms: published.at_ms,
                thing,
                execution,
                attempt,
                said,
                named,
                failed: false,
            });
            self.history.words.len() - 1
        });
        self.last_trace += 1;
        let trace = format!("trace-{}", self.last_trace);
        let context = Context {
            client_id: published.publisher.client_id.as_deref(),
            principal: None,
            account: "000000000000",
            at_ms: published.at_ms,
            trace_id: &trace,
        };
        if let Some((shadow, what)) = topic.split_once("/update").filter(|_| topic.starts_with("$aws/things/")) {
            // What was said in a shadow is heard with its next state.
            match what {
                "" => self.said_in_shadow.entry(shadow.to_owned()).or_default().extend(word),
                "/documents" => {
                    let words = self.said_in_shadow.remove(shadow).unwrap_or_default();
                    self.apply_rules(&topic, &payload, context, &words);
                }
                _ => {}
            }
            return;
        }
        self.apply_rules(&topic, &payload, context, word.as_slice());
    }
}
