//! A listener that serves connections accepted by another listener, each with its caller.

use std::io;
use std::net::SocketAddr;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::Caller;

/// A listener for [`axum::serve`] that receives accepted connections through a channel.
pub struct AcceptedConnections<Io> {
    accepted: mpsc::Receiver<(Io, Caller)>,
    address: SocketAddr,
}

impl<Io> AcceptedConnections<Io> {
    /// Serves the connections of a channel; `address` is the local address that they were accepted on.
    pub fn new(accepted: mpsc::Receiver<(Io, Caller)>, address: SocketAddr) -> Self {
        Self { accepted, address }
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin + Send + 'static> Listener for AcceptedConnections<Io> {
    type Io = Io;
    type Addr = Caller;

    async fn accept(&mut self) -> (Io, Caller) {
        match self.accepted.recv().await {
            Some(connection) => connection,
            // Every sender is dropped: there are no further connections.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Caller> {
        Ok(Caller { address: self.address, certificate: None })
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connected<IncomingStream<'_, AcceptedConnections<Io>>>
    for Caller
{
    fn connect_info(stream: IncomingStream<'_, AcceptedConnections<Io>>) -> Self {
        stream.remote_addr().clone()
    }
}
