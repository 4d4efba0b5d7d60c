//! Bytes in and out of one stream.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::codec::{DecodeError, Frame, Incoming, Version, decode, encode, next_frame};
use crate::link::Inbox;

/// Kept by an idle connection; thousands of them share one process.
const IDLE_BUFFER_BYTES: usize = 4 * 1024;
/// Written in one go.
const WRITE_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Reads packets.
pub(super) struct PacketReader<R> {
    stream: R,
    received: BytesMut,
}

impl<R: AsyncRead + Unpin> PacketReader<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, received: BytesMut::new() }
    }

    /// None at the end of the stream. Losing interest in the middle loses nothing.
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

/// Writes what comes until nobody can send any more or the stream breaks.
pub(super) async fn write_all<W: AsyncWrite + Unpin>(mut inbox: Inbox, mut stream: W, version: Version) {
    let mut bytes = BytesMut::new();
    while let Some(first) = inbox.next().await {
        let mut size = 0;
        let mut next = Some(first);
        while let Some(packet) = next {
            size += packet.size();
            encode(&packet, version, &mut bytes);
            next = if bytes.len() < WRITE_BYTES { inbox.try_next() } else { None };
        }
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        inbox.written(size);
        if bytes.capacity() > IDLE_BUFFER_BYTES { bytes = BytesMut::new() } else { bytes.clear() }
    }
    // The client is gone or has been told; either way there is nobody to tell.
    let _ = stream.shutdown().await;
}
