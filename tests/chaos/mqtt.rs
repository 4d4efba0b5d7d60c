//! The least of MQTT 3.1.1 that a device needs, over a pipe into the broker.

use std::sync::Arc;

use bytes::Bytes;
use local::broker::{Broker, Peer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use crate::wire::Desk;

/// What came over a connection.
pub enum Packet {
    /// The broker takes its subscriptions: the session is up.
    Ready,
    Publish {
        topic: String,
        payload: Bytes,
        packet_id: Option<u16>,
    },
    /// The broker has what was published under this number.
    Ack(u16),
    Closed,
}

/// By which thing's which connection.
pub struct Arrival {
    pub thing: usize,
    pub connection: u64,
    pub packet: Packet,
}

/// A device's end of its connection; it breaks when this is dropped.
pub struct Connection {
    pub number: u64,
    out: mpsc::UnboundedSender<Vec<u8>>,
}

impl Connection {
    /// Connects with a persistent session.
    pub fn open(
        broker: &Broker,
        desk: &Arc<Desk<Arrival>>,
        thing: usize,
        number: u64,
        client: &str,
        filters: &[String],
    ) -> Self {
        let (ours, theirs) = tokio::io::duplex(256 * 1024);
        let broker = broker.clone();
        tokio::spawn(async move { broker.serve(theirs, Peer::default()).await });
        let (out, queue) = mpsc::unbounded_channel();
        let arrive = {
            let desk = desk.clone();
            move |packet| desk.leave(Arrival { thing, connection: number, packet })
        };
        tokio::spawn(speak(ours, queue, arrive));
        let connection = Self { number, out };
        let mut body = text("MQTT");
        // Version 3.1.1, no clean session, the longest keep-alive.
        body.extend([4, 0, 0x04, 0xb0]);
        body.extend(text(client));
        connection.send(0x10, body);
        let mut body = vec![0, 1];
        for filter in filters {
            body.extend(text(filter));
            body.push(1);
        }
        connection.send(0x82, body);
        connection
    }

    pub fn publish(&self, topic: &str, payload: &[u8], packet_id: u16) {
        let mut body = text(topic);
        body.extend(packet_id.to_be_bytes());
        body.extend(payload);
        self.send(0x32, body);
    }

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
        let _ = self.out.send(packet);
    }
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

async fn speak(mut stream: DuplexStream, mut queue: mpsc::UnboundedReceiver<Vec<u8>>, arrive: impl Fn(Packet)) {
    let mut received = Vec::new();
    let mut quiet = tokio::time::interval(std::time::Duration::from_secs(1000));
    quiet.tick().await;
    loop {
        tokio::select! {
            biased;
            packet = queue.recv() => match packet {
                Some(packet) => if stream.write_all(&packet).await.is_err() { break },
                // The device has let go of it.
                None => return,
            },
            read = stream.read_buf(&mut received) => match read {
                Ok(0) | Err(_) => break,
                Ok(_) => while let Some(packet) = cut(&mut received) {
                    if let Some(packet) = decode(packet[0], &packet[header(&packet)..]) {
                        arrive(packet);
                    }
                },
            },
            _ = quiet.tick() => if stream.write_all(&[0xc0, 0]).await.is_err() { break },
        }
    }
    arrive(Packet::Closed);
}

/// One whole packet from the front.
fn cut(received: &mut Vec<u8>) -> Option<Vec<u8>> {
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

fn header(packet: &[u8]) -> usize {
    1 + packet[1..].iter().take_while(|byte| **byte >= 128).count() + 1
}

fn decode(first: u8, body: &[u8]) -> Option<Packet> {
    let number = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    match first >> 4 {
        3 => {
            let end = 2 + usize::from(number(0));
            let acknowledged = first & 0x06 != 0;
            let from = if acknowledged { end + 2 } else { end };
            let packet_id = acknowledged.then(|| number(end));
            let topic = String::from_utf8_lossy(&body[2..end]).into_owned();
            Some(Packet::Publish { topic, payload: Bytes::copy_from_slice(&body[from..]), packet_id })
        }
        4 => Some(Packet::Ack(number(0))),
        9 => Some(Packet::Ready),
        _ => None,
    }
}
