//! The network between the functions and AWS: every request that an SDK client makes is parked here until the simulation
//! says what becomes of it.

use std::sync::{Arc, Mutex};

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
use tokio::sync::{Notify, oneshot};

/// A request that waits for its fate.
pub struct Call {
    pub container: usize,
    pub request: Request,
    /// Dropped, it means that no answer will ever come.
    pub answer: Answer,
}

pub type Request = http::Request<Bytes>;
pub type Answer = oneshot::Sender<http::Response<Bytes>>;

impl Call {
    pub fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }
}

/// Such as `UpdateItem`, or `POST /topics/cmd%2Fpump%2Freq`.
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

pub fn is_for_queue(request: &Request) -> bool {
    is_for(request, b"AmazonSQS")
}

fn is_for(request: &Request, service: &[u8]) -> bool {
    request.headers().get("x-amz-target").is_some_and(|target| target.as_bytes().starts_with(service))
}

/// What handlers and connections leave for the simulation to find.
#[derive(Default)]
pub struct Desk<T> {
    left: Mutex<Vec<T>>,
    pub bell: Arc<Notify>,
}

impl<T> Desk<T> {
    pub fn new(bell: &Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { left: Mutex::new(Vec::new()), bell: bell.clone() })
    }

    pub fn leave(&self, one: T) {
        self.left.lock().expect("no panic").push(one);
        self.bell.notify_one();
    }

    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.left.lock().expect("no panic"))
    }
}

/// The HTTP client of one container.
#[derive(Clone)]
pub struct Wire {
    pub container: usize,
    pub desk: Arc<Desk<Call>>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wire({})", self.container)
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (container, desk) = (self.container, self.desk.clone());
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let request = request.map(|body| Bytes::copy_from_slice(body.bytes().expect("a body in memory")));
            let (answer, answered) = oneshot::channel();
            desk.leave(Call { container, request, answer });
            match answered.await {
                Ok(response) => HttpResponse::try_from(response.map(SdkBody::from))
                    .map_err(|error| ConnectorError::user(error.into())),
                // Nobody will ever answer.
                Err(_) => std::future::pending().await,
            }
        })
    }
}
