//! A device's MQTT 3.1.1 connection, reduced to what a device needs, over a pipe into the broker.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use local::broker::{Broker, Peer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use crate::mailbox::Mailbox;

/// Seconds, the longest that the broker accepts.
const KEEP_ALIVE: u16 = 1200;

/// Interval of PINGREQ, shorter than the keep-alive.
const PING_INTERVAL: Duration = Duration::from_secs(1000);

/// A packet from the broker, or the end of the connection.
pub enum Packet {
    /// SUBACK.
    Subscribed,
    Publish {
        topic: String,
        payload: Bytes,
        packet_id: Option<u16>,
    },
    /// PUBACK.
    Ack(u16),
    Closed,
}

/// A packet that arrived over a connection of a thing.
pub struct ReceivedPacket {
    pub thing: usize,
    /// Number of the connection.
    pub connection: u64,
    pub packet: Packet,
}

/// A device's end of its connection; the connection breaks when it is dropped.
pub struct Connection {
    pub number: u64,
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
}

impl Connection {
    /// Connects with a persistent session, and subscribes to the filters at QoS 1.
    pub fn open(
        broker: &Broker,
        received: &Arc<Mailbox<ReceivedPacket>>,
        thing: usize,
        number: u64,
        client_id: &str,
        filters: &[String],
    ) -> Self {
        let (device_end, broker_end) = tokio::io::duplex(256 * 1024);
        let broker = broker.clone();
        tokio::spawn(async move { broker.serve(broker_end, Peer::default()).await });
        let (outgoing, queue) = mpsc::unbounded_channel();
        let received = received.clone();
        let on_packet = move |packet| received.post(ReceivedPacket { thing, connection: number, packet });
        tokio::spawn(run_connection(device_end, queue, on_packet));
        let connection = Self { number, outgoing };
        let mut body = string("MQTT");
        // Protocol level 4, flags without clean session, keep-alive.
        body.extend([4, 0]);
        body.extend(KEEP_ALIVE.to_be_bytes());
        body.extend(string(client_id));
        connection.send(0x10, body);
        let mut body = vec![0, 1];
        for filter in filters {
            body.extend(string(filter));
            body.push(1);
        }
        connection.send(0x82, body);
        connection
    }

    /// Publishes at QoS 1.
    pub fn publish(&self, topic: &str, payload: &[u8], packet_id: u16) {
        let mut body = string(topic);
        body.extend(packet_id.to_be_bytes());
        body.extend(payload);
        self.send(0x32, body);
    }

    /// Sends a PUBACK.
    pub fn acknowledge(&self, packet_id: u16) {
        self.send(0x40, packet_id.to_be_bytes().to_vec());
    }

    fn send(&self, first: u8, body: Vec<u8>) {
        let mut packet = vec![first];
        let mut left = body.len();
        loop {
            let more = u8::from(left > 127) << 7;
            packet.push((left & 127) as u8 | more);
            left >>= 7;
            if more == 0 {
                break;
            }
        }
        packet.extend(body);
        // An error means that the connection is broken, which its task reports.
        let _ = self.outgoing.send(packet);
    }
}

/// An MQTT string: its length and its bytes.
fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

async fn run_connection(
    mut stream: DuplexStream,
    mut outgoing: mpsc::UnboundedReceiver<Vec<u8>>,
    on_packet: impl Fn(Packet),
) {
    let mut received = Vec::new();
    let mut ping = tokio::time::interval(PING_INTERVAL);
    ping.tick().await;
    loop {
        tokio::select! {
            biased;
            packet = outgoing.recv() => match packet {
                Some(packet) => if stream.write_all(&packet).await.is_err() { break },
                // The device has dropped the connection.
                None => return,
            },
            read = stream.read_buf(&mut received) => match read {
                Ok(0) | Err(_) => break,
                Ok(_) => while let Some(packet) = take_packet(&mut received) {
                    if let Some(packet) = decode(packet[0], &packet[header_length(&packet)..]) {
                        on_packet(packet);
                    }
                },
            },
            _ = ping.tick() => if stream.write_all(&[0xc0, 0]).await.is_err() { break },
        }
    }
    on_packet(Packet::Closed);
}

/// Removes one whole packet from the front of the received bytes.
fn take_packet(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = *received.get(at)?;
        length |= usize::from(byte & 127) << (7 * (at - 1));
        at += 1;
        if byte < 128 {
            break;
        }
    }
    (received.len() >= at + length).then(|| received.drain(..at + length).collect())
}

fn header_length(packet: &[u8]) -> usize {
    1 + packet[1..].iter().take_while(|byte| **byte >= 128).count() + 1
}

fn decode(first: u8, body: &[u8]) -> Option<Packet> {
    let number = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    match first >> 4 {
        3 => {
            let topic_end = 2 + usize::from(number(0));
            let has_packet_id = first & 0x06 != 0;
            let payload_start = if has_packet_id { topic_end + 2 } else { topic_end };
            let packet_id = has_packet_id.then(|| number(topic_end));
            let topic = String::from_utf8_lossy(&body[2..topic_end]).into_owned();
            Some(Packet::Publish { topic, payload: Bytes::copy_from_slice(&body[payload_start..]), packet_id })
        }
        4 => Some(Packet::Ack(number(0))),
        9 => Some(Packet::Subscribed),
        _ => None,
    }
}
