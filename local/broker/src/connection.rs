//! One client's connection, from its first byte to its last.

mod requests;
mod stream;

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tracing::{debug, info};

use super::access::Peer;
use super::attaching::Attached;
use super::codec::{ConnAck, Incoming, Outgoing, Version, encode, reason};
use super::lifecycle::End;
use super::link::Outbox;
use super::{Broker, ClientId, handshake, limits};
use stream::{PacketReader, ReadError, write_all};

/// What the reading side needs to know of its connection.
struct Session {
    broker: Broker,
    client_id: ClientId,
    number: u64,
    version: Version,
    peer: Peer,
    outbox: Outbox,
}

/// Detaches a connection whose task is dropped in the middle.
impl Drop for Session {
    fn drop(&mut self) {
        self.broker.lock().detach(&self.client_id, self.number, End::lost());
    }
}

impl Broker {
    /// Serves one client until it is gone.
    pub async fn serve<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S, peer: Peer) {
        self.serve_patiently(stream, peer, limits::CONNECT_TIMEOUT).await;
    }

    pub(super) async fn serve_patiently<S>(&self, stream: S, peer: Peer, patience: Duration)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (reader, mut writer) = tokio::io::split(stream);
        let mut packets = PacketReader::new(reader);
        let connect = match timeout(patience, packets.next(Version::V311)).await {
            Ok(Ok(Some(Incoming::Connect(connect)))) => *connect,
            other => return turn_away(other, &mut writer, &peer).await,
        };
        let version = connect.version;
        let client_id = connect.client_id.clone();
        match handshake::judge(connect, peer.clone(), self.authorizer()) {
            Err(refused) => {
                info!(client_id, %refused, address = ?peer.address, "connection refused");
                let code = if version == Version::V5 { Some(refused.v5) } else { refused.v311 };
                if let Some(code) = code {
                    refuse(&mut writer, version, code).await;
                }
            }
            Ok(admission) => {
                let keep_alive = Duration::from_secs(admission.keep_alive_s.into()).mul_f32(1.5);
                let client_id = admission.client_id.clone();
                let attached = self.lock().attach(admission);
                let Attached { number, outbox, inbox, mut closed } = attached;
                let session = Session { broker: self.clone(), client_id, number, version, peer, outbox };
                let writing = write_all(inbox, writer, version);
                tokio::pin!(writing);
                let reason = tokio::select! {
                    end = session.read(&mut packets, keep_alive) => session.end(end),
                    () = &mut writing => return,
                    reason = &mut closed => reason.ok(),
                };
                if let Some(reason) = reason {
                    session.outbox.push(Outgoing::Disconnect(reason));
                }
                // The writer is done when nobody can send any more.
                drop(session);
                let _ = timeout(limits::FAREWELL_TIMEOUT, writing).await;
            }
        }
    }
}

impl Session {
    /// Handles what the client sends until there is a reason to stop.
    async fn read<R: AsyncRead + Unpin>(&self, packets: &mut PacketReader<R>, keep_alive: Duration) -> End {
        loop {
            let next = async {
                self.outbox.ready().await;
                packets.next(self.version).await
            };
            let handled = match timeout(keep_alive, next).await {
                Ok(Ok(Some(packet))) => self.handle(packet),
                Ok(Ok(None) | Err(ReadError::Io(_))) => Err(End::lost()),
                Ok(Err(ReadError::Decode(error))) => {
                    info!(client_id = &*self.client_id, %error, "connection closed");
                    Err(End::closed("CLIENT_ERROR", error.reason()))
                }
                Err(_elapsed) => Err(End::closed("MQTT_KEEP_ALIVE_TIMEOUT", reason::KEEP_ALIVE_TIMEOUT)),
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    fn end(&self, end: End) -> Option<u8> {
        self.broker.lock().detach(&self.client_id, self.number, end);
        end.reason
    }
}

/// The first packet was no good CONNECT.
async fn turn_away<W: AsyncWrite + Unpin>(
    first: Result<Result<Option<Incoming>, ReadError>, tokio::time::error::Elapsed>,
    writer: &mut W,
    peer: &Peer,
) {
    let why = match first {
        Err(_elapsed) => "no CONNECT in time".to_owned(),
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
    debug!(address = ?peer.address, why, "connection closed");
}

async fn refuse<W: AsyncWrite + Unpin>(writer: &mut W, version: Version, code: u8) {
    let mut bytes = BytesMut::new();
    encode(&Outgoing::ConnAck(Box::new(ConnAck { reason: code, ..ConnAck::default() })), version, &mut bytes);
    let farewell = async {
        writer.write_all(&bytes).await?;
        writer.shutdown().await
    };
    // A client that does not listen to its refusal misses it.
    let _ = timeout(limits::FAREWELL_TIMEOUT, farewell).await;
}
