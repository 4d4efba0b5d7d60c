//! The database engine dynoxide and its HTTP server, which runs on its own thread.

use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Request, Uri};
use bytes::Bytes;
use dynoxide::Database;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use local_clock::Clock;
use tokio::sync::oneshot;

use super::DynamoDbError;

/// A running engine; dropping it stops the server thread.
pub(super) struct Engine {
    database: Database,
    uri: Uri,
    client: Client<HttpConnector, Full<Bytes>>,
    /// Dropping the sender stops the server; no value is ever sent.
    _running: oneshot::Sender<()>,
}

/// Opens the database. Timestamps of the engine come from the stack's clock for a database in memory, and from the
/// system clock for a file: the engine supports no other clock for files. Only tests move the clock, and they use no
/// files.
pub(super) fn open(clock: &Clock, file: Option<&Path>) -> Result<Database, DynamoDbError> {
    let Some(path) = file else {
        return Database::memory_with_clock(Arc::new(EngineClock(clock.clone())))
            .map_err(|source| DynamoDbError::Engine(Box::new(source)));
    };
    let failed = |source| DynamoDbError::Open { path: path.to_owned(), source: Box::new(source) };
    let database = Database::new(&path.to_string_lossy()).map_err(failed)?;
    // No sync to disk per write: data must survive a crash of the process, not a power failure.
    database.enable_bulk_loading().map_err(failed)?;
    Ok(database)
}

impl Engine {
    pub(super) fn start(database: Database) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let uri = format!("http://{}/", listener.local_addr()?).parse().map_err(io::Error::other)?;
        let (running, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = database.clone();
        std::thread::Builder::new().name("dynamodb".into()).spawn(move || {
            let ended = runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).map_err(|e| e.to_string())?;
                let serving = dynoxide::server::serve_with_shutdown(listener, served, std::future::pending());
                tokio::select! {
                    ended = serving => ended,
                    _ = stopped => Ok(()),
                }
            });
            if let Err(error) = ended {
                tracing::error!(%error, "the DynamoDB engine has stopped");
            }
        })?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { database, uri, client, _running: running })
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// Sends a request to the engine; its status and body. The engine requires a signature but does not verify it, so a
    /// constant one is sent.
    ///
    /// # Errors
    /// The target is not a valid value of a header, or the engine has stopped.
    pub(super) async fn call(&self, target: &str, body: Bytes) -> Result<(u16, Bytes), CallError> {
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static(super::front::CONTENT_TYPE))
            .header(AUTHORIZATION, SIGNATURE)
            .header("x-amz-date", HeaderValue::from_static("20260101T000000Z"))
            .header("x-amz-target", target)
            .body(Full::new(body))?;
        let (head, body) = self.client.request(request).await?.into_parts();
        Ok((head.status.as_u16(), body.collect().await?.to_bytes()))
    }
}

/// The reason for a missing response.
pub(super) type CallError = Box<dyn std::error::Error + Send + Sync>;

const SIGNATURE: HeaderValue = HeaderValue::from_static(
    "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date, Signature=0",
);

/// The stack's clock as a clock of the engine.
struct EngineClock(Clock);

impl dynoxide::storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now_s()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now_ms() as f64 / 1000.0
    }
}
