//! A broker that the test plays: accepts connections, and reads and writes single packets.

use std::sync::Arc;

use bytes::BytesMut;
use device::client::{Client, Options};
use device::handlers::Handlers;
use device::link::Endpoint;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{NOW_MS, within_timeout};

const MAX_PACKET_BYTES: usize = 1 << 20;

pub struct Broker(TcpListener);

impl Broker {
    pub async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::plain("127.0.0.1", self.0.local_addr().unwrap().port())
    }

    pub fn start_device(&self, handlers: Handlers) -> Client {
        Client::start(self.options(handlers)).unwrap()
    }

    pub fn options(&self, handlers: Handlers) -> Options {
        Options {
            endpoint: self.endpoint(),
            thing: "pump-7".to_owned(),
            handlers,
            clock: Arc::new(|| NOW_MS),
            memory_file: None,
            shadow: false,
            desired_state: false,
            groups: Vec::new(),
            broadcast_topics: Vec::new(),
            response_topics: Vec::new(),
        }
    }

    /// The next TCP connection, on which the broker stays silent.
    pub async fn accept_silently(&self) -> TcpStream {
        within_timeout(self.0.accept()).await.unwrap().0
    }

    /// The next connection, up to its CONNACK.
    pub async fn accept(&self, session_present: bool) -> Connection {
        let stream = self.accept_silently().await;
        let mut connection = Connection { stream, buffer: BytesMut::new(), packet_id: 0, filter_count: 0 };
        match connection.read().await {
            Packet::Connect(connect) => {
                assert_eq!((connect.client_id.as_str(), connect.clean_session), ("pump-7", false));
            }
            other => panic!("{other:?}"),
        }
        connection.write(Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, session_present))).await;
        connection
    }

    /// The next connection, up to its SUBACK.
    pub async fn accept_and_subscribe(&self, session_present: bool) -> Connection {
        let mut connection = self.accept(session_present).await;
        let packet_id = connection.expect_subscribe().await;
        connection.grant(packet_id).await;
        connection
    }
}

pub struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
    /// The id of the last message that was sent to the device.
    pub packet_id: u16,
    /// The number of filters in the last SUBSCRIBE.
    pub filter_count: usize,
}

impl Connection {
    pub async fn read(&mut self) -> Packet {
        loop {
            match Packet::read(&mut self.buffer, MAX_PACKET_BYTES) {
                Ok(packet) => return packet,
                Err(rumqttc::mqttbytes::Error::InsufficientBytes(_)) => {
                    let read = within_timeout(self.stream.read_buf(&mut self.buffer)).await.unwrap();
                    assert_ne!(read, 0, "the device cut the connection");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn write(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, MAX_PACKET_BYTES).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// Expects a SUBSCRIBE, and returns its packet id.
    pub async fn expect_subscribe(&mut self) -> u16 {
        match self.read().await {
            Packet::Subscribe(subscribe) => {
                let paths: Vec<_> = subscribe.filters.iter().map(|filter| filter.path.as_str()).collect();
                assert!(paths.len() <= 8, "more than AWS IoT allows: {paths:?}");
                if self.filter_count == 0 {
                    assert_eq!(paths[0], "cmd/pump-7/req");
                    assert!(paths.len() == 1 || paths[1] == "cmd/pump-7/cancel");
                }
                self.filter_count = paths.len();
                subscribe.pkid
            }
            other => panic!("{other:?}"),
        }
    }

    pub async fn grant(&mut self, packet_id: u16) {
        let granted = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce); self.filter_count];
        self.write(Packet::SubAck(SubAck::new(packet_id, granted))).await;
    }

    /// Sends a request, and expects its acknowledgement.
    pub async fn send_request(&mut self, payload: impl Into<Vec<u8>>) {
        self.send("cmd/pump-7/req", payload).await;
    }

    /// Sends a message, and expects its acknowledgement.
    pub async fn send(&mut self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.send_without_ack(topic, payload).await;
        self.expect_ack().await;
    }

    pub async fn send_without_ack(&mut self, topic: &str, payload: impl Into<Vec<u8>>) {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        self.packet_id += 1;
        publish.pkid = self.packet_id;
        self.write(Packet::Publish(publish)).await;
    }

    /// Expects the acknowledgement of the last message.
    pub async fn expect_ack(&mut self) {
        match self.read().await {
            Packet::PubAck(ack) => assert_eq!(ack.pkid, self.packet_id),
            other => panic!("{other:?}"),
        }
    }

    /// Expects a message from the device, and acknowledges it. Returns its topic and its JSON.
    pub async fn expect_publish(&mut self) -> (String, Value) {
        match self.read().await {
            Packet::Publish(publish) => {
                assert_eq!(publish.qos, QoS::AtLeastOnce);
                self.write(Packet::PubAck(PubAck::new(publish.pkid))).await;
                (publish.topic.clone(), serde_json::from_slice(&publish.payload).unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Expects a report on `cmd/<thing>/resp`, and acknowledges it. Returns its status, followed by its reason code if
    /// it has one.
    pub async fn expect_report(&mut self) -> String {
        let (topic, report) = self.expect_publish().await;
        assert_eq!(topic, "cmd/pump-7/resp");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{} {}", text(&report["status"]), text(&report["statusReason"]["reasonCode"])).trim().to_owned()
    }
}
