//! Tests over real WebSockets, with a broker behind them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use local_broker::{Broker, Message as MqttMessage};
use local_clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use super::{MAX_MESSAGE_BYTES, router};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// MQTT 3.1.1, clean session, keep alive 60 s, client id `w1`.
const CONNECT: &[u8] = &[0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 2, b'w', b'1'];
/// Packet id 1, topic filter `a`, QoS 0.
const SUBSCRIBE: &[u8] = &[0x82, 6, 0, 1, 0, 1, b'a', 0];
const CONNACK: &[u8] = &[0x20, 2, 0, 0];
const SUBACK: &[u8] = &[0x90, 3, 0, 1, 0];

struct Server {
    broker: Broker,
    address: String,
    stop: CancellationToken,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Server {
    async fn start() -> Self {
        let broker = Broker::new(Clock::manual(1_700_000_000_000), None);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap().to_string(), CancellationToken::new());
        let router = router(broker.clone(), "000000000000", stop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { broker, address, stop }
    }

    /// Opens a WebSocket that offers these subprotocols. Returns it with the one that the server took.
    async fn open(&self, subprotocols: &str) -> Result<(Socket, String), Error> {
        let mut request = format!("ws://{}/mqtt", self.address).into_client_request().unwrap();
        if !subprotocols.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", subprotocols.parse().unwrap());
        }
        let (socket, response) = connect_async(request).await?;
        let taken = response.headers().get("sec-websocket-protocol").expect("a subprotocol");
        Ok((socket, taken.to_str().unwrap().to_owned()))
    }

    /// Connects an MQTT client.
    async fn connect(&self) -> Socket {
        let (mut socket, _) = self.open("mqtt").await.unwrap();
        socket.send(Message::binary(CONNECT)).await.unwrap();
        receive(&mut socket, CONNACK).await;
        socket
    }

    fn is_connected(&self) -> bool {
        self.broker.connection("w1").is_some_and(|connection| connection.connected)
    }

    /// Waits until the client's connection has ended. Returns the reason.
    async fn ended(&self) -> String {
        let ended = async {
            while self.is_connected() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("the connection ends");
        self.broker.connection("w1").and_then(|connection| connection.disconnect_reason).expect("a reason").to_string()
    }
}

/// Receives these bytes, in one message or several.
async fn receive(socket: &mut Socket, expected: &[u8]) {
    let mut received = Vec::new();
    while received.len() < expected.len() {
        let next = tokio::time::timeout(PATIENCE, socket.next()).await.expect("bytes in time");
        match next.expect("an open connection").expect("a message") {
            Message::Binary(bytes) => received.extend_from_slice(&bytes),
            Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(received, expected);
}

#[tokio::test]
async fn packets_need_not_begin_and_end_with_messages() {
    let server = Server::start().await;
    let (mut socket, taken) = server.open("mqtt").await.unwrap();
    assert_eq!(taken, "mqtt");
    socket.send(Message::binary(&CONNECT[..5])).await.unwrap();
    socket.send(Message::Ping("still here".into())).await.unwrap();
    socket.send(Message::binary("")).await.unwrap();
    socket.send(Message::binary([&CONNECT[5..], SUBSCRIBE].concat())).await.unwrap();
    receive(&mut socket, &[CONNACK, SUBACK].concat()).await;
    let message = MqttMessage::new("a", vec![b'x'; 100_000]);
    server.broker.publish(message).unwrap();
    let head = [0x30, 0xa3, 0x8d, 0x06, 0, 1, b'a'];
    receive(&mut socket, &[&head[..], &[b'x'; 100_000]].concat()).await;
}

#[tokio::test]
async fn a_client_that_goes_away_has_lost_its_connection() {
    let server = Server::start().await;
    let mut socket = server.connect().await;
    socket.close(None).await.unwrap();
    assert_eq!(server.ended().await, "CONNECTION_LOST");
    drop(server.connect().await);
    assert_eq!(server.ended().await, "CONNECTION_LOST");
}

#[tokio::test]
async fn the_subprotocol_is_one_of_mqtt() {
    let server = Server::start().await;
    assert_eq!(server.open("mqttv3.1").await.unwrap().1, "mqttv3.1");
    assert_eq!(server.open("chat, mqttv3.1, mqtt").await.unwrap().1, "mqtt", "the newer name, in any order");
    for refused in ["", "chat"] {
        let Err(Error::Http(response)) = server.open(refused).await else { panic!("{refused:?} is accepted") };
        assert_eq!(response.status(), 400);
    }
}

#[tokio::test]
async fn what_is_no_mqtt_in_binary_messages_ends_the_connection_and_no_other() {
    let server = Server::start().await;
    // Pings, of which each alone is right: only the size of the message is wrong.
    let large = Message::binary([0xc0, 0].repeat(MAX_MESSAGE_BYTES / 2 + 1));
    for bad in [Message::text("hello"), large, Message::binary(vec![0xff; 10])] {
        let mut socket = server.connect().await;
        // The server may close while the rest of a message is sent.
        let _ = socket.send(bad).await;
        server.ended().await;
    }
    // A frame that is not masked, and one that is cut: a client may send neither.
    let mut stream = raw(&server).await;
    stream.write_all(&[0x82, 2, 0xc0, 0]).await.unwrap();
    server.ended().await;
    let mut stream = raw(&server).await;
    stream.write_all(&[0x82, 0x80 | 126, 0xff]).await.unwrap();
    stream.shutdown().await.unwrap();
    server.ended().await;
    let mut good = server.connect().await;
    good.send(Message::binary(SUBSCRIBE)).await.unwrap();
    receive(&mut good, SUBACK).await;
}

/// An MQTT client whose frames are written byte by byte.
async fn raw(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let upgrade = format!(
        "GET /mqtt HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
        server.address
    );
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let masked = [&[0x82, 0x80 | CONNECT.len() as u8, 0, 0, 0, 0], CONNECT].concat();
    stream.write_all(&masked).await.unwrap();
    let connected = async {
        let mut byte = [0];
        while !server.is_connected() {
            stream.read_exact(&mut byte).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, connected).await.expect("the client connects");
    stream
}

#[tokio::test]
async fn connections_end_with_the_stack() {
    let server = Server::start().await;
    let mut socket = server.connect().await;
    server.stop.cancel();
    server.ended().await;
    let after = tokio::time::timeout(PATIENCE, socket.next()).await.expect("the end in time");
    assert!(after.is_none_or(|message| message.is_err()), "nothing more is sent");
}

#[tokio::test]
async fn a_request_that_is_no_websocket_is_refused() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(b"GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an answer").unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}
