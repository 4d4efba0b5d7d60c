//! The task of one client connection: CONNECT, reading and writing until the connection ends.

mod requests;
mod resending;
mod stream;
mod topic_aliases;

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tracing::{debug, info};

use super::attaching::AttachedConnection;
use super::authorization::Peer;
use super::codec::{ConnAck, Incoming, Outgoing, Version, encode, reason};
use super::lifecycle::ConnectionEnd;
use super::link::Outbox;
use super::{Broker, ClientId, handshake, limits};
use stream::{PacketReader, ReadError, write_all};
use topic_aliases::TopicAliases;

/// State of the reading side of one connection.
struct ClientConnection {
    broker: Broker,
    client_id: ClientId,
    number: u64,
    version: Version,
    peer: Peer,
    outbox: Outbox,
}

/// A dropped connection task (an aborted one too) detaches its client.
impl Drop for ClientConnection {
    fn drop(&mut self) {
        self.broker.lock().detach_connection(&self.client_id, self.number, ConnectionEnd::lost());
    }
}

impl Broker {
    /// Serves one client until its connection ends: 10 seconds for CONNECT, then until DISCONNECT, an error or a close.
    pub async fn serve<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S, peer: Peer) {
        self.serve_with_connect_timeout(stream, peer, limits::CONNECT_TIMEOUT).await;
    }

    pub(super) async fn serve_with_connect_timeout<S>(&self, stream: S, peer: Peer, connect_timeout: Duration)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (reader, mut writer) = tokio::io::split(stream);
        let mut packets = PacketReader::new(reader);
        let connect = match timeout(connect_timeout, packets.next(Version::V311)).await {
            Ok(Ok(Some(Incoming::Connect(connect)))) => *connect,
            other => return reject_first_packet(other, &mut writer, &peer).await,
        };
        let version = connect.version;
        let client_id = connect.client_id.clone();
        match handshake::check_connect(connect, peer.clone(), self.authorizer()) {
            Err(refusal) => {
                info!(client_id, %refusal, address = ?peer.address, "connection refused");
                let code = if version == Version::V5 { Some(refusal.v5) } else { refusal.v311 };
                if let Some(code) = code {
                    refuse(&mut writer, version, code).await;
                }
            }
            Ok(accepted) => {
                let keep_alive = Duration::from_secs(accepted.keep_alive_s.into()).mul_f32(1.5);
                let client_id = accepted.client_id.clone();
                let attached = self.lock().attach_connection(accepted);
                let AttachedConnection { number, outbox, outbox_reader, sent, mut closed } = attached;
                let connection = ClientConnection { broker: self.clone(), client_id, number, version, peer, outbox };
                let writing = write_all(outbox_reader, writer, version);
                tokio::pin!(writing);
                let reason = tokio::select! {
                    end = connection.read_packets(&mut packets, keep_alive) => connection.detach(end),
                    () = &mut writing => return,
                    () = connection.resend_unacknowledged(&sent) => return,
                    reason = &mut closed => reason.ok(),
                };
                if let Some(reason) = reason {
                    connection.outbox.push(Outgoing::Disconnect(reason));
                }
                // The writer ends when the last sender of the outbox is dropped.
                drop(connection);
                let _ = timeout(limits::CLOSE_TIMEOUT, writing).await;
            }
        }
    }
}

impl ClientConnection {
    /// Handles packets until the connection has to end; returns how it ends.
    async fn read_packets<R: AsyncRead + Unpin>(
        &self,
        packets: &mut PacketReader<R>,
        keep_alive: Duration,
    ) -> ConnectionEnd {
        let mut aliases = TopicAliases::default();
        loop {
            let next = async {
                self.outbox.wait_until_drained().await;
                packets.next(self.version).await
            };
            let handled = match timeout(keep_alive, next).await {
                Ok(Ok(Some(packet))) => self.handle_packet(packet, &mut aliases),
                Ok(Ok(None) | Err(ReadError::Io(_))) => Err(ConnectionEnd::lost()),
                Ok(Err(ReadError::Decode(error))) => {
                    info!(client_id = &*self.client_id, %error, "connection closed");
                    Err(ConnectionEnd::closed("CLIENT_ERROR", error.reason()))
                }
                Err(_elapsed) => Err(ConnectionEnd::closed("MQTT_KEEP_ALIVE_TIMEOUT", reason::KEEP_ALIVE_TIMEOUT)),
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    fn detach(&self, end: ConnectionEnd) -> Option<u8> {
        self.broker.lock().detach_connection(&self.client_id, self.number, end);
        end.reason
    }
}

/// Closes a connection whose first packet is not a valid CONNECT.
async fn reject_first_packet<W: AsyncWrite + Unpin>(
    first: Result<Result<Option<Incoming>, ReadError>, tokio::time::error::Elapsed>,
    writer: &mut W,
    peer: &Peer,
) {
    let cause = match first {
        Err(_elapsed) => "no CONNECT packet within the time limit".to_owned(),
        Ok(Err(ReadError::Decode(error))) => {
            if let super::codec::DecodeError::Version(level) = error {
                let (version, code) = match level {
                    0..=5 => (Version::V311, reason::V311_UNACCEPTABLE_VERSION),
                    _ => (Version::V5, error.reason()),
                };
                refuse(writer, version, code).await;
            }
            error.to_string()
        }
        Ok(Err(ReadError::Io(error))) => error.to_string(),
        Ok(Ok(None)) => "closed without CONNECT".to_owned(),
        Ok(Ok(Some(_))) => "the first packet is not CONNECT".to_owned(),
    };
    debug!(address = ?peer.address, cause, "connection closed");
}

async fn refuse<W: AsyncWrite + Unpin>(writer: &mut W, version: Version, code: u8) {
    let mut bytes = BytesMut::new();
    encode(&Outgoing::ConnAck(Box::new(ConnAck { reason: code, ..ConnAck::default() })), version, &mut bytes);
    let closing = async {
        writer.write_all(&bytes).await?;
        writer.shutdown().await
    };
    // Best effort: the connection is closed whether or not the client reads the CONNACK.
    let _ = timeout(limits::CLOSE_TIMEOUT, closing).await;
}
