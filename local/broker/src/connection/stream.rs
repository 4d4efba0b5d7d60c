//! Reads packets from, and writes packets to, the stream of one connection.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::codec::{DecodeError, Frame, Incoming, Version, decode, encode, next_frame};
use crate::link::OutboxReader;

/// Largest buffer that an idle connection keeps: one process holds thousands of connections.
const IDLE_BUFFER_BYTES: usize = 4 * 1024;
/// Packets are encoded up to this size before one write.
const WRITE_BATCH_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Buffers received bytes and decodes packets from them.
pub(super) struct PacketReader<R> {
    stream: R,
    received: BytesMut,
}

impl<R: AsyncRead + Unpin> PacketReader<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, received: BytesMut::new() }
    }

    /// The next packet; `None` at the end of the stream. Cancel-safe: received bytes stay in the buffer.
    pub(super) async fn next(&mut self, version: Version) -> Result<Option<Incoming>, ReadError> {
        loop {
            match next_frame(&self.received)? {
                Frame::Complete { first, body_start, end } => {
                    let body = self.received.get(body_start..end).unwrap_or_default();
                    let packet = decode(first, body, version)?;
                    self.received.advance(end);
                    return Ok(Some(packet));
                }
                Frame::Missing(bytes) => {
                    if self.received.is_empty() && self.received.capacity() > IDLE_BUFFER_BYTES {
                        self.received = BytesMut::new();
                    }
                    self.received.reserve(bytes.max(IDLE_BUFFER_BYTES / 4));
                    if self.stream.read_buf(&mut self.received).await? == 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

/// Writes packets until the last sender is dropped or a write fails.
pub(super) async fn write_all<W: AsyncWrite + Unpin>(mut outbox_reader: OutboxReader, mut stream: W, version: Version) {
    let mut bytes = BytesMut::new();
    while let Some(first) = outbox_reader.next().await {
        let mut size = 0;
        let mut next = Some(first);
        while let Some(packet) = next {
            size += packet.size();
            encode(&packet, version, &mut bytes);
            next = if bytes.len() < WRITE_BATCH_BYTES { outbox_reader.try_next() } else { None };
        }
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        outbox_reader.record_written(size);
        if bytes.capacity() > IDLE_BUFFER_BYTES { bytes = BytesMut::new() } else { bytes.clear() }
    }
    // The connection ends here; a failed shutdown changes nothing.
    let _ = stream.shutdown().await;
}
