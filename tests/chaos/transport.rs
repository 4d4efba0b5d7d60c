//! The network between functions and AWS: each request of an SDK client waits until the simulation decides its fault.

use std::sync::Arc;

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::mailbox::Mailbox;

pub type Request = http::Request<Bytes>;
pub type Reply = oneshot::Sender<http::Response<Bytes>>;

/// A request that waits for the decision of the simulation.
pub struct PendingCall {
    /// The container that made the call.
    pub container: usize,
    pub request: Request,
    /// If it is dropped, no response will ever come.
    pub reply: Reply,
}

impl PendingCall {
    /// Whether the caller still waits for the response.
    pub fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }
}

/// The operation of a request, such as `UpdateItem` or `POST /topics/cmd%2Fpump%2Freq`.
pub fn operation(request: &Request) -> String {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.rsplit('.').next()) {
        Some(operation) => operation.to_owned(),
        None => format!("{} {}", request.method(), request.uri().path()),
    }
}

pub fn is_for_dynamodb(request: &Request) -> bool {
    is_for(request, b"DynamoDB")
}

pub fn is_for_sqs(request: &Request) -> bool {
    is_for(request, b"AmazonSQS")
}

/// Whether a request is one of the `iot` control plane that a function makes.
pub fn is_for_registry(request: &Request) -> bool {
    let path = request.uri().path();
    path.starts_with("/thing-groups/") || (path.starts_with("/things/") && !path.ends_with("/shadow"))
}

fn is_for(request: &Request, service: &[u8]) -> bool {
    request.headers().get("x-amz-target").is_some_and(|target| target.as_bytes().starts_with(service))
}

/// The HTTP client of one container.
#[derive(Clone)]
pub struct SimulatedTransport {
    pub container: usize,
    pub calls: Arc<Mailbox<PendingCall>>,
}

impl std::fmt::Debug for SimulatedTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimulatedTransport({})", self.container)
    }
}

impl HttpClient for SimulatedTransport {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

impl HttpConnector for SimulatedTransport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (container, calls) = (self.container, self.calls.clone());
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let request = request.map(|body| Bytes::copy_from_slice(body.bytes().expect("the body is in memory")));
            let (reply, response) = oneshot::channel();
            calls.post(PendingCall { container, request, reply });
            match response.await {
                Ok(response) => HttpResponse::try_from(response.map(SdkBody::from))
                    .map_err(|error| ConnectorError::user(error.into())),
                // The response is lost: the SDK waits until its own timeout.
                Err(_) => std::future::pending().await,
            }
        })
    }
}
