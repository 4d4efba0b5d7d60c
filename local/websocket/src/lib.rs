//! MQTT over WebSocket: `GET /mqtt` on an HTTPS port, as AWS has it, and on the endpoint without TLS. The data of the binary messages is one stream of bytes, on which
//! the client speaks MQTT; packets and messages need not begin together.
//!
//! The gateway has checked the signature of the request, with and without `--authorize`. Source for path, port and subprotocol:
//! <https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html>; for the stream of bytes: MQTT 5, section 6.

use std::future::ready;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, TryStreamExt};
use local_broker::{Broker, Peer, Principal};
use local_gateway::Caller;
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};
use tokio_util::sync::CancellationToken;

/// The subprotocols that are accepted, the first one preferred: that of the standard, and the name that clients of MQTT
/// 3.1 still send.
const SUBPROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];

/// The largest message and frame, in bytes: an MQTT packet of the largest payload, 128 KiB, fits in with its topic and
/// properties.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// Serves the clients that come over WebSocket.
#[derive(Clone)]
struct WebSockets {
    broker: Broker,
    /// The unique id of the user that signs requests: the account's root.
    user: String,
    stop: CancellationToken,
}

/// The route `/mqtt`. Its connections end with `stop`. `account`: the account id of the callers that sign.
pub fn router(broker: Broker, account: &str, stop: CancellationToken) -> Router {
    Router::new().route("/mqtt", get(upgrade)).with_state(WebSockets { broker, user: account.to_owned(), stop })
}

async fn upgrade(State(sockets): State<WebSockets>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let peer = Peer { address: address(&parts), principal: Some(Principal::User(sockets.user.clone())) };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.protocols(SUBPROTOCOLS),
        Err(rejection) => return rejection.into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        tracing::info!(address = ?peer.address, "WebSocket refused: the client does not offer the subprotocol mqtt");
        let message = "a WebSocket at /mqtt needs the header Sec-WebSocket-Protocol: mqtt\n";
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    upgrade.on_upgrade(move |socket| async move {
        let stop = sockets.stop.clone();
        stop.run_until_cancelled(serve(socket, &sockets.broker, peer)).await;
    })
}

/// The client's address, on the port with TLS or the one without.
fn address(parts: &axum::http::request::Parts) -> Option<SocketAddr> {
    let secured = parts.extensions.get::<ConnectInfo<Caller>>().map(|ConnectInfo(caller)| caller.address);
    secured.or_else(|| parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address))
}

async fn serve(socket: WebSocket, broker: &Broker, peer: Peer) {
    let (sink, stream) = socket.split();
    let received = stream.map_err(io::Error::other).try_filter_map(|message| ready(data(message)));
    let sent = sink
        .with(|bytes: Bytes| ready(Ok(Message::Binary(bytes))))
        .sink_map_err(|error: axum::Error| io::Error::other(error));
    let stream = tokio::io::join(StreamReader::new(received), SinkWriter::new(CopyToBytes::new(sent)));
    broker.serve(stream, peer).await;
}

/// The bytes of a message; none of a ping, a pong or a close.
fn data(message: Message) -> io::Result<Option<Bytes>> {
    match message {
        Message::Binary(bytes) => Ok(Some(bytes)),
        Message::Text(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "MQTT needs binary messages, not text")),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
