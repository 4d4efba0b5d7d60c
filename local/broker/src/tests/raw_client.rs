//! A raw MQTT client over an in-memory stream: tests send and read single packets.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use crate::codec::Version::{self, V5, V311};
use crate::codec::{Frame, next_frame};
use crate::{Broker, Message, Peer};

/// One client connection to the broker.
pub(super) struct RawClient {
    stream: DuplexStream,
    received: BytesMut,
    version: Version,
}

/// A received PUBLISH packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReceivedPublish {
    pub(super) topic: String,
    pub(super) payload: String,
    pub(super) qos: u8,
    pub(super) retain: bool,
    pub(super) duplicate: bool,
    pub(super) packet_id: u16,
    /// The MQTT 5 property section, without its length.
    pub(super) properties: Vec<u8>,
}

/// Fields of a CONNECT packet.
#[derive(Clone)]
pub(super) struct ConnectPacket {
    pub(super) version: Version,
    pub(super) id: String,
    pub(super) clean: bool,
    pub(super) keep_alive_s: u16,
    pub(super) properties: Vec<u8>,
    pub(super) will: Option<Message>,
    pub(super) user: Option<&'static str>,
}

pub(super) fn clean_connect(version: Version, id: &str) -> ConnectPacket {
    let id = id.to_owned();
    ConnectPacket { version, id, clean: true, keep_alive_s: 60, properties: Vec::new(), will: None, user: None }
}

/// CONNECT for a persistent session: MQTT 3.1.1 with `clean_session=false`, MQTT 5 with an expiry of one hour.
pub(super) fn persistent_connect(version: Version, id: &str) -> ConnectPacket {
    let properties = if version == V5 { vec![0x11, 0, 0, 14, 16] } else { Vec::new() };
    ConnectPacket { clean: false, properties, ..clean_connect(version, id) }
}

impl ConnectPacket {
    pub(super) fn with_will(mut self, topic: &str, payload: &str) -> Self {
        self.will = Some(Message::new(topic.to_owned(), payload.to_owned()));
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut flags = u8::from(self.clean) << 1 | u8::from(self.user.is_some()) << 7;
        if let Some(will) = &self.will {
            flags |= 4 | will.qos << 3 | u8::from(will.retain) << 5;
        }
        let mut body = encode_string("MQTT");
        body.push(if self.version == V5 { 5 } else { 4 });
        body.push(flags);
        body.extend(self.keep_alive_s.to_be_bytes());
        if self.version == V5 {
            body.push(self.properties.len().try_into().expect("short"));
            body.extend(&self.properties);
        }
        body.extend(encode_string(&self.id));
        if let Some(will) = &self.will {
            body.extend((self.version == V5).then_some(0));
            body.extend(encode_string(&will.topic));
            body.extend(encode_string(std::str::from_utf8(&will.payload).expect("text")));
        }
        body.extend(self.user.map(encode_string).unwrap_or_default());
        encode_packet(0x10, &body)
    }
}

pub(super) fn encode_string(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).expect("short").to_be_bytes()[..], text.as_bytes()].concat()
}

pub(super) fn encode_packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length % 128).expect("seven bits");
        length /= 128;
        bytes.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    [bytes, body.to_vec()].concat()
}

impl RawClient {
    /// Opens a stream to the broker without sending CONNECT.
    pub(super) fn open(broker: &Broker) -> Self {
        Self::open_as(broker, Peer::default())
    }

    pub(super) fn open_as(broker: &Broker, peer: Peer) -> Self {
        let (ours, theirs) = duplex(1024 * 1024);
        let broker = broker.clone();
        tokio::spawn(async move { broker.serve(theirs, peer).await });
        Self { stream: ours, received: BytesMut::new(), version: V311 }
    }

    /// Connects; panics if the broker refuses.
    pub(super) async fn connect(broker: &Broker, connect: &ConnectPacket) -> Self {
        Self::resume(broker, connect).await.0
    }

    /// Connects; also returns whether a session was present.
    pub(super) async fn resume(broker: &Broker, connect: &ConnectPacket) -> (Self, bool) {
        let mut client = Self::open(broker);
        let body = client.send_connect(connect).await;
        assert_eq!(body.get(1), Some(&0), "CONNACK {body:?}");
        (client, body[0] == 1)
    }

    /// Sends CONNECT and returns the body of CONNACK.
    pub(super) async fn send_connect(&mut self, connect: &ConnectPacket) -> Vec<u8> {
        self.version = connect.version;
        self.send(&connect.bytes()).await;
        let (first, body) = self.next().await.expect("an answer to CONNECT");
        assert_eq!(first, 0x20);
        body
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        // Writing fails after the broker has closed the stream; the test notices when it reads.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next packet: first byte and body; `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        timeout(Duration::from_secs(60), self.read()).await.expect("a packet or the end of the stream within 60 s")
    }

    async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Frame::Complete { first, body_start, end } = next_frame(&self.received).expect("a valid packet") {
                let body = self.received[body_start..end].to_vec();
                self.received.advance(end);
                return Some((first, body));
            }
            if self.stream.read_buf(&mut self.received).await.ok()? == 0 {
                return None;
            }
        }
    }

    pub(super) async fn subscribe(&mut self, filter: &str, options: u8) -> Vec<u8> {
        self.subscribe_with(&[(filter, options)], &[]).await
    }

    /// Subscribes and returns the reason codes of SUBACK.
    pub(super) async fn subscribe_with(&mut self, filters: &[(&str, u8)], properties: &[u8]) -> Vec<u8> {
        self.send(&self.subscription(filters, properties)).await;
        let (first, body) = self.next().await.expect("SUBACK");
        assert_eq!((first, &body[..2]), (0x90, &[0, 7][..]), "{body:?}");
        body[if self.version == V5 { 3 } else { 2 }..].to_vec()
    }

    pub(super) fn subscription(&self, filters: &[(&str, u8)], properties: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 7];
        if self.version == V5 {
            body.push(properties.len().try_into().expect("short"));
            body.extend(properties);
        }
        filters.iter().for_each(|(filter, options)| body.extend([encode_string(filter), vec![*options]].concat()));
        encode_packet(0x82, &body)
    }

    pub(super) async fn unsubscribe(&mut self, filter: &str) {
        let properties = (self.version == V5).then_some(0);
        let body = [0, 9].into_iter().chain(properties).chain(encode_string(filter)).collect::<Vec<u8>>();
        self.send(&encode_packet(0xA2, &body)).await;
        assert_eq!(self.next().await.expect("UNSUBACK").0, 0xB0);
    }

    /// Sends PUBLISH. `flags` of the fixed header: 1 retain, 2 QoS 1.
    pub(super) async fn send_publish(&mut self, topic: &str, payload: &[u8], flags: u8, properties: &[u8]) {
        let mut body = encode_string(topic);
        if flags & 6 != 0 {
            body.extend([0, 5]);
        }
        if self.version == V5 {
            body.push(properties.len().try_into().expect("short"));
            body.extend(properties);
        }
        body.extend(payload);
        self.send(&encode_packet(0x30 | flags, &body)).await;
    }

    /// Publishes at QoS 1 and waits for PUBACK.
    pub(super) async fn publish(&mut self, topic: &str, payload: &str) {
        self.send_publish(topic, payload.as_bytes(), 2, &[]).await;
        assert_eq!(self.next().await, Some((0x40, vec![0, 5])));
    }

    /// Returns the next packet, which must be a PUBLISH; sends no PUBACK.
    pub(super) async fn receive_publish(&mut self) -> ReceivedPublish {
        let (first, body) = self.next().await.expect("a PUBLISH");
        assert_eq!(first >> 4, 3, "{first:x} {body:?}");
        let mut rest = &body[..];
        let length = rest.get_u16().into();
        let topic = String::from_utf8(rest.copy_to_bytes(length).to_vec()).expect("text");
        let qos = first >> 1 & 3;
        let packet_id = if qos > 0 { rest.get_u16() } else { 0 };
        let properties = match self.version {
            V311 => Vec::new(),
            V5 => {
                let length = rest.get_u8().into();
                rest.copy_to_bytes(length).to_vec()
            }
        };
        let payload = String::from_utf8_lossy(rest).into_owned();
        ReceivedPublish { topic, payload, qos, retain: first & 1 > 0, duplicate: first & 8 > 0, packet_id, properties }
    }

    pub(super) async fn send_puback(&mut self, packet_id: u16) {
        self.send(&encode_packet(0x40, &packet_id.to_be_bytes())).await;
    }

    /// Sends PINGREQ and expects PINGRESP as the next packet: the broker has handled all earlier packets.
    pub(super) async fn expect_nothing_more(&mut self) {
        self.send(&[0xC0, 0]).await;
        assert_eq!(self.next().await, Some((0xD0, Vec::new())), "the next packet must be PINGRESP");
    }

    /// Waits until the broker closes the stream; returns the reason code of its DISCONNECT (MQTT 5).
    pub(super) async fn expect_disconnect(&mut self) -> Option<u8> {
        let mut reason = None;
        while let Some((first, body)) = self.next().await {
            assert_eq!(first, 0xE0, "expected DISCONNECT: {body:?}");
            reason = body.first().copied();
        }
        reason
    }

    /// Sends DISCONNECT and waits until the broker closes the stream.
    pub(super) async fn disconnect(mut self) {
        self.send(&[0xE0, 0]).await;
        assert_eq!(self.expect_disconnect().await, None);
    }

    /// Closes the stream without DISCONNECT and waits until the broker has noticed.
    pub(super) async fn drop_connection(mut self) {
        self.stream.shutdown().await.expect("open");
        while self.next().await.is_some() {}
    }
}
