//! The devices' connections to the broker: connect, break, go offline, and the packets that arrive.

use crate::{
    event::Event,
    mqtt::{Connection, Packet, ReceivedPacket},
    world::World,
};

impl World<'_> {
    pub fn connect(&mut self, thing: usize) {
        self.last_connection += 1;
        let device = &mut self.devices[thing];
        if !device.has_power || device.connection.is_some() {
            return;
        }
        let (name, filters) = (device.config.name.clone(), device.filters());
        device.is_subscribed = false;
        device.lost_ack = None;
        let (broker, packets, number) = (&self.broker, &self.received_packets, self.last_connection);
        device.connection = Some(Connection::open(broker, packets, thing, number, &name, &filters));
        self.trace(|| format!("{name} connects"));
    }

    /// Breaks a connection, if it still exists; the device connects again soon.
    pub fn disconnect(&mut self, thing: usize, connection: u64) {
        let device = &mut self.devices[thing];
        if device.connection.as_ref().is_none_or(|current| current.number != connection) {
            return;
        }
        device.connection = None;
        device.is_subscribed = false;
        let name = device.config.name.clone();
        self.trace(|| format!("{name} loses its connection"));
        let delay_ms = self.random.between(100, 20_000);
        self.plan_after(delay_ms, Event::Connect { thing });
    }

    pub fn go_offline(&mut self, thing: usize, duration_ms: i64, loses_power: bool) {
        let device = &mut self.devices[thing];
        if !device.has_power {
            return;
        }
        let name = device.config.name.clone();
        device.connection = None;
        device.is_subscribed = false;
        if loses_power {
            device.lose_power();
        }
        self.trace(|| format!("{name} goes offline, loses power: {loses_power}"));
        self.plan_after(duration_ms, Event::ComeOnline { thing, lost_power: loses_power });
    }

    pub fn come_online(&mut self, thing: usize, lost_power: bool) {
        let actions = if lost_power { self.devices[thing].start() } else { Vec::new() };
        self.connect(thing);
        self.perform_actions(thing, actions);
    }

    /// Handles a packet from the broker.
    pub fn on_packet(&mut self, packet: ReceivedPacket) {
        let ReceivedPacket { thing, connection, packet } = packet;
        let device = &mut self.devices[thing];
        if device.connection.as_ref().is_none_or(|current| current.number != connection) {
            return;
        }
        match packet {
            Packet::Subscribed => {
                device.is_subscribed = true;
                self.request_shadows(thing, None);
                let unacknowledged: Vec<u16> = self.devices[thing].unacknowledged.keys().copied().collect();
                for packet_id in unacknowledged {
                    if self.publish_report(thing, packet_id).is_break() {
                        return;
                    }
                }
            }
            Packet::Ack(packet_id) => {
                if device.lost_ack != Some(packet_id) {
                    device.unacknowledged.remove(&packet_id);
                }
            }
            Packet::Closed => self.disconnect(thing, connection),
            Packet::Publish { topic, payload, packet_id } => {
                self.plan_delivery(thing, connection, topic, payload, packet_id);
            }
        }
    }
}
