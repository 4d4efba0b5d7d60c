//! Messages on their way from the broker to a device: late, twice or lost, and how the device handles them.

use bytes::Bytes;
use domain::{CommandId, ExecutionId, ThingName};
use serde_json::Value;

use crate::{
    device::Request,
    event::Event,
    history::{CancelNotice, Delivery},
    world::World,
};

impl World<'_> {
    /// Plans when a message reaches the device over this connection, and how often.
    pub fn plan_delivery(
        &mut self,
        thing: usize,
        connection: u64,
        topic: String,
        payload: Bytes,
        packet_id: Option<u16>,
    ) {
        let deliver = |payload: &Bytes| Event::Deliver {
            thing,
            connection,
            topic: topic.clone(),
            payload: payload.clone(),
            packet_id,
        };
        if !self.random.chance(self.fault_rates.messages) {
            let delay_ms = self.random.between(1, 50);
            return self.plan_after(delay_ms, deliver(&payload));
        }
        match self.random.below(4) {
            // The message is lost with the connection.
            0 => self.plan_after(5, Event::Break { thing, connection }),
            1 => {
                self.plan_after(10, deliver(&payload));
                let delay_ms = self.random.between(10, 60_000);
                self.plan_after(delay_ms, deliver(&payload));
            }
            _ => {
                let delay_ms = self.random.between(50, 30_000);
                self.plan_after(delay_ms, deliver(&payload));
            }
        }
    }

    /// Hands a message to the device, if the connection still exists.
    pub fn deliver(&mut self, thing: usize, connection: u64, topic: &str, payload: &Bytes, packet_id: Option<u16>) {
        let is_ack_lost = self.random.chance(self.fault_rates.messages);
        let device = &self.devices[thing];
        let Some(current) = device.connection.as_ref().filter(|current| current.number == connection) else { return };
        if let Some(packet_id) = packet_id.filter(|_| !is_ack_lost) {
            current.acknowledge(packet_id);
        }
        if is_ack_lost {
            self.plan_after(5, Event::Break { thing, connection });
        }
        let text = String::from_utf8_lossy(payload).into_owned();
        if topic.starts_with("$aws/things/") {
            self.on_shadow_message(thing, topic, &text);
        } else if topic.ends_with("/cancel") {
            self.on_cancel_notice(thing, &text);
        } else {
            self.on_request(thing, text);
        }
    }

    fn on_cancel_notice(&mut self, thing: usize, text: &str) {
        let name = self.devices[thing].config.name.clone();
        self.trace(|| format!("{name} gets the cancel notice {text}"));
        let notice: Value = serde_json::from_str(text).expect("a cancel notice is JSON");
        let execution = match notice["executionId"].as_str() {
            Some(execution) => execution.to_owned(),
            None => execution_of(notice["commandId"].as_str().expect("a cancel notice names what it cancels"), &name),
        };
        self.devices[thing].on_cancel(&execution);
        self.history.cancel_notices.push(CancelNotice { at_ms: self.now_ms(), thing: name, execution });
    }

    fn on_request(&mut self, thing: usize, text: String) {
        let name = self.devices[thing].config.name.clone();
        let mut request: Request =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name} got the request {text}: {error}"));
        if request.execution_id.is_empty() {
            let command = request.command_id.as_deref().unwrap_or_default();
            request.execution_id = execution_of(command, &name);
            request.response_topic = format!("cmd/{name}/resp");
        } else {
            request.command_id = None;
        }
        self.record_delivery(thing, &request);
        let now_ms = self.now_ms();
        let actions = self.devices[thing].on_request(request, text.clone(), false, now_ms, &mut self.random);
        self.trace(|| format!("{name} gets the request {text}"));
        self.perform_actions(thing, actions);
    }

    /// Adds a request that reached its device to the history.
    pub fn record_delivery(&mut self, thing: usize, request: &Request) {
        self.history.deliveries.push(Delivery {
            at_ms: self.now_ms(),
            thing: self.devices[thing].config.name.clone(),
            execution: request.execution_id.clone(),
            attempt: request.attempt,
            expires_at_ms: request.expires_at * 1000,
        });
    }
}

/// The id of the execution that a thing has of a command.
fn execution_of(command: &str, thing: &str) -> String {
    let command =
        CommandId::parse(command).unwrap_or_else(|error| panic!("{thing} got the command {command}: {error}"));
    let thing = ThingName::parse(thing).expect("the name of a thing");
    ExecutionId::of(&command, &thing).to_string()
}
