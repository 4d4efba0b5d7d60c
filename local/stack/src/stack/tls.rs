//! TLS connections: checks client certificates, and passes connections to MQTT or HTTPS.
//!
//! | port | ALPN | protocol |
//! |---|---|---|
//! | 8883 | any | MQTT, a certificate is required |
//! | 8443 | any | HTTPS, and MQTT over WebSocket at `/mqtt` |
//! | 443 | `x-amzn-mqtt-ca`, `mqtt` | MQTT, a certificate is required |
//! | 443 | `x-amzn-http-ca`, `http/1.1`, none | as 8443 |

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use local_broker::{Broker, Peer, Principal};
use local_gateway::Caller;
use local_pki::{Pki, certificate_id};
use local_registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// A connection without a finished handshake is closed after this time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

const MQTT: [&[u8]; 2] = [b"x-amzn-mqtt-ca", b"mqtt"];
const HTTPS: [&[u8]; 2] = [b"x-amzn-http-ca", b"http/1.1"];

/// The protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mqtt,
    Https,
    ByAlpn,
}

impl Kind {
    pub(super) fn config(self, pki: &Pki) -> io::Result<Arc<rustls::ServerConfig>> {
        match self {
            Self::Mqtt => pki.server_config(&[], true),
            Self::Https => pki.server_config(&[], false),
            Self::ByAlpn => pki.server_config(&[MQTT, HTTPS].concat(), false),
        }
    }

    fn is_mqtt(self, alpn: Option<&[u8]>) -> bool {
        match self {
            Self::Mqtt => true,
            Self::Https => false,
            Self::ByAlpn => alpn.is_some_and(|alpn| MQTT.contains(&alpn)),
        }
    }
}

/// The services to which accepted connections are passed.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) broker: Broker,
    pub(super) registry: Registry,
    pub(super) https: mpsc::Sender<Secured>,
    pub(super) stop: CancellationToken,
}

type Secured = (TlsStream<TcpStream>, Caller);

impl Front {
    /// Accepts connections until the stack stops.
    pub(super) async fn run(self, listener: TcpListener, kind: Kind, config: Arc<rustls::ServerConfig>) {
        let acceptor = TlsAcceptor::from(config);
        loop {
            let Some((stream, address)) = accept(&listener, &self.stop).await else { return };
            let (front, acceptor) = (self.clone(), acceptor.clone());
            tokio::spawn(async move {
                let stop = front.stop.clone();
                stop.run_until_cancelled(front.connect(stream, address, kind, acceptor)).await
            });
        }
    }

    async fn connect(self, stream: TcpStream, address: SocketAddr, kind: Kind, acceptor: TlsAcceptor) {
        let stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::info!(%address, %error, "TLS handshake failed"),
            Err(_) => return tracing::info!(%address, "TLS handshake took too long"),
        };
        let (_, connection) = stream.get_ref();
        let certificate = connection.peer_certificates().and_then(|chain| chain.first()).map(|der| certificate_id(der));
        if let Some(certificate) = &certificate
            && !self.registry.is_active(certificate)
        {
            return tracing::info!(%address, certificate, "connection refused: the certificate is not registered and active");
        }
        if !kind.is_mqtt(connection.alpn_protocol()) {
            // This fails only while the stack is stopping.
            let _ = self.https.send((stream, Caller { address, certificate })).await;
        } else if certificate.is_none() {
            tracing::info!(%address, "connection refused: MQTT needs a certificate");
        } else {
            let principal = certificate.map(Principal::Certificate);
            self.broker.serve(stream, Peer { address: Some(address), principal }).await;
        }
    }
}

/// Serves MQTT without TLS until the stack stops.
pub(super) async fn run_plain(listener: TcpListener, broker: Broker, stop: CancellationToken) {
    while let Some((stream, address)) = accept(&listener, &stop).await {
        let (broker, stop) = (broker.clone(), stop.clone());
        let peer = Peer { address: Some(address), principal: None };
        tokio::spawn(async move { stop.run_until_cancelled(broker.serve(stream, peer)).await });
    }
}

/// The next connection; `None` when the stack stops.
async fn accept(listener: &TcpListener, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    loop {
        match stop.run_until_cancelled(listener.accept()).await? {
            Ok((stream, address)) => {
                // Messages are small: waiting to fill packets would delay them.
                let _ = stream.set_nodelay(true);
                return Some((stream, address));
            }
            Err(error) => {
                // Mostly too many open files: closing connections free some.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
