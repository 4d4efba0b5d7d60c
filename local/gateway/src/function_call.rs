//! Requests of functions: applies injected faults and records the requests in the journal.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{StatusCode, request::Parts};
use axum::response::Response;
use bytes::Bytes;
use local_faults::{Call, Fault, Faults};
use local_journal::{Event, Origin};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::ReaderStream;

use super::protocol::Protocol;
use super::service::Service;
use super::{Services, operation, sigv4};

/// The call of a request that a function process makes; `None` for other clients.
pub(super) fn identify(faults: &Faults, service: Service, request: &Parts, body: &Bytes) -> Option<Call> {
    let sdk_invocation = request.headers.get("amz-sdk-invocation-id").and_then(|id| id.to_str().ok());
    let call = faults.call(&sigv4::access_key(request)?, sdk_invocation)?;
    Some(call.with_request(operation::name(service, request), operation::path(request), body.clone()))
}

/// Executes a call with its fault, if any, and records it. A started request runs to its end even if its caller
/// crashes.
pub(super) async fn execute(
    services: &Services,
    call: Call,
    service: Service,
    apply: impl Future<Output = Response> + Send + 'static,
) -> Response {
    let fault = services.faults.take_fault(&call);
    let record = |status: Option<StatusCode>| {
        services.journal.record(|| Event::Called {
            operation: call.operation.clone(),
            path: call.path.clone(),
            nth: call.nth,
            attempt: call.attempt,
            status: status.map(|status| status.as_u16()),
            fault,
        });
    };
    let origin = Origin { function: call.function.clone(), invoke: call.invoke.clone() };
    if fault == Some(Fault::KillBefore) {
        origin.scope(async { record(None) }).await;
        services.faults.kill(&call).await;
        return broken_connection();
    }
    if let Some(rejected) = fault.and_then(|fault| fault_response(fault, service, &call)) {
        let status = rejected.status();
        origin.scope(async { record(Some(status)) }).await;
        return rejected;
    }
    let guard = services.faults.count_call(&call, fault);
    if fault == Some(Fault::Held) {
        services.faults.next_release().await;
    }
    let applied = tokio::spawn(origin.clone().scope(async move {
        let _guard = guard;
        apply.await
    }));
    let applied = applied.await;
    if let Some(Fault::Slow(time)) = fault {
        let _waits = services.faults.count_call(&call, fault);
        tokio::time::sleep(time).await;
    }
    let response_lost = matches!(fault, Some(Fault::AppliedThenTimeout | Fault::KillAfter));
    let status = applied.as_ref().ok().filter(|_| !response_lost).map(Response::status);
    origin.scope(async { record(status) }).await;
    match (fault, applied) {
        (Some(Fault::KillAfter), _) => {
            services.faults.kill(&call).await;
            broken_connection()
        }
        (Some(Fault::AppliedThenTimeout), _) | (_, Err(_)) => broken_connection(),
        (_, Ok(answer)) => answer,
    }
}

/// The error response of the service for a fault that prevents the request; `None` for other faults.
fn fault_response(fault: Fault, service: Service, call: &Call) -> Option<Response> {
    let (status, code, message) = match (fault, service) {
        (Fault::Throttle, Service::DynamoDb) => (
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput was exceeded",
        ),
        (Fault::Throttle, Service::Sqs) => {
            (400, "RequestThrottled", "The request was denied due to request throttling")
        }
        (Fault::Throttle, Service::Lambda) => (429, "TooManyRequestsException", "Rate Exceeded."),
        (Fault::Throttle, _) => (429, "ThrottlingException", "Rate exceeded"),
        (Fault::Unavailable, Service::DynamoDb) => (500, "InternalServerError", "Internal server error"),
        (Fault::Unavailable, Service::Sqs) => (500, "InternalError", "Internal error"),
        (Fault::Unavailable, Service::Lambda) => (500, "ServiceException", "Internal error"),
        (Fault::Unavailable, _) => (500, "InternalFailureException", "Internal failure"),
        (Fault::Conflict, _) => match call.operation.as_str() {
            "IotData.UpdateThingShadow" | "IotData.DeleteThingShadow" => (409, "ConflictException", "Version conflict"),
            "DynamoDB.PutItem" | "DynamoDB.UpdateItem" | "DynamoDB.DeleteItem" => {
                (400, "TransactionConflictException", "Transaction is ongoing for the item")
            }
            _ => return None,
        },
        (Fault::StaleToken, Service::Iot) if continues_a_list(call) => {
            (400, "InvalidRequestException", "The pagination token is not valid")
        }
        (
            Fault::StaleToken
            | Fault::AppliedThenTimeout
            | Fault::Held
            | Fault::Slow(_)
            | Fault::KillBefore
            | Fault::KillAfter,
            _,
        ) => return None,
    };
    let protocol = match service {
        Service::DynamoDb | Service::Sqs => Protocol::Json,
        Service::Sts => Protocol::Query,
        _ => Protocol::RestJson,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(protocol.error_response(status, code, message))
}

/// Whether a call requests a page after the first one.
fn continues_a_list(call: &Call) -> bool {
    let in_body =
        || serde_json::from_slice::<serde_json::Value>(&call.body).is_ok_and(|body| body["nextToken"].is_string());
    call.path.contains("nextToken=") || in_body()
}

/// No response: the server closes the connection before it sends anything, because reading the body fails.
fn broken_connection() -> Response {
    Response::new(Body::from_stream(ReaderStream::new(BrokenBody)))
}

struct BrokenBody;

impl AsyncRead for BrokenBody {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionAborted)))
    }
}
