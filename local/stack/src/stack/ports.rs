//! Binds the listeners, all on 127.0.0.1.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use super::{Ports, StackError};

/// The addresses of a stack's listeners.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The HTTP API.
    pub http_api: SocketAddr,
    /// The AWS endpoint.
    pub endpoint: SocketAddr,
    /// MQTT without TLS.
    pub mqtt: SocketAddr,
    /// MQTT with mutual TLS.
    pub mqtts: SocketAddr,
    /// The AWS endpoint with TLS.
    pub https: SocketAddr,
    /// MQTT and HTTPS, distinguished by ALPN.
    pub alpn: Option<SocketAddr>,
}

pub(super) struct Listeners {
    pub(super) http_api: TcpListener,
    pub(super) endpoint: TcpListener,
    pub(super) mqtt: TcpListener,
    pub(super) mqtts: TcpListener,
    pub(super) https: TcpListener,
    pub(super) alpn: Option<TcpListener>,
    pub(super) addresses: Addresses,
}

impl Listeners {
    /// Binds all listeners. This comes first, since functions get the endpoint's address in their environment.
    pub(super) async fn bind(ports: &Ports) -> Result<Self, StackError> {
        let (http_api, http_api_at) = bind(ports.http_api, "HTTP API", "--http-port").await?;
        let (endpoint, endpoint_at) = bind(ports.endpoint, "AWS endpoint", "--endpoint-port").await?;
        let (mqtt, mqtt_at) = bind(ports.mqtt, "MQTT", "--mqtt-port").await?;
        let (mqtts, mqtts_at) = bind(ports.mqtts, "MQTT with TLS", "--mqtts-port").await?;
        let (https, https_at) = bind(ports.https, "AWS endpoint with TLS", "--https-port").await?;
        let (alpn, alpn_at) = match ports.alpn {
            Some(port) => {
                let (listener, address) = bind(port, "MQTT and HTTPS by ALPN", "--port-443").await?;
                (Some(listener), Some(address))
            }
            None => (None, None),
        };
        let addresses = Addresses {
            http_api: http_api_at,
            endpoint: endpoint_at,
            mqtt: mqtt_at,
            mqtts: mqtts_at,
            https: https_at,
            alpn: alpn_at,
        };
        Ok(Self { http_api, endpoint, mqtt, mqtts, https, alpn, addresses })
    }
}

async fn bind(port: u16, what: &'static str, flag: &str) -> Result<(TcpListener, SocketAddr), StackError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound.await.map_err(|source: io::Error| StackError::Port {
        address,
        what,
        advice: match source.kind() {
            io::ErrorKind::PermissionDenied => advice_for_low_port(port),
            _ => format!("Choose another port with {flag}"),
        },
        source,
    })
}

/// Advice for a port below 1024.
fn advice_for_low_port(port: u16) -> String {
    let program = std::env::current_exe().map_or_else(|_| "<program>".into(), |path| path.display().to_string());
    format!(
        "Only root may bind ports below 1024. Do one of these:\n\
         \x20 sudo sysctl net.ipv4.ip_unprivileged_port_start={port}   (until the next boot)\n\
         \x20 sudo setcap cap_net_bind_service=+ep {program}   (until the next build)\n\
         \x20 run the program itself as root"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn taken_port_is_named_with_the_flag_that_changes_it() {
        let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let error = Listeners::bind(&Ports { mqtt: port, ..Ports::any() }).await.err().expect("refused").to_string();
        assert!(error.contains(&format!("127.0.0.1:{port} (MQTT)")) && error.contains("--mqtt-port"), "{error}");
    }
}
