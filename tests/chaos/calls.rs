//! The calls of functions to AWS: each gets a fault or none, and is applied to the tables, the queue or the data plane.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    dynamodb::{self, ItemWrite},
    event::Event,
    fault::{self, CallFault},
    handler::Handler,
    history::{LaneImage, RowImage},
    invocation::{Invocation, Invoker},
    transport::{self, PendingCall, Reply, Request},
    world::World,
};

/// The time that a direct message's device has for its acknowledgement; the functions ask for as much.
const ACKNOWLEDGEMENT_TIMEOUT_MS: i64 = 4_000;

impl World<'_> {
    /// Draws the fault of a call, and applies and answers the call accordingly.
    pub fn resolve_call(&mut self, call: PendingCall) {
        let PendingCall { container, request, reply } = call;
        let fault = CallFault::draw(self.fault_rates.calls, &mut self.random);
        let is_dynamodb = transport::is_for_dynamodb(&request);
        self.fixture.call_count += 1;
        let operation = transport::operation(&request);
        // Queries are most of the calls: only those with a fault are worth a line.
        if fault != CallFault::None || operation != "Query" {
            self.trace(|| format!("c{container} {operation}: {fault:?}"));
        }
        match fault {
            CallFault::None => self.apply_call(request, Some(reply)),
            CallFault::Throttled => drop(reply.send(fault::throttled(is_dynamodb))),
            CallFault::ErrorNotApplied => drop(reply.send(fault::internal_error(is_dynamodb))),
            CallFault::ErrorApplied => {
                self.apply_call(request, None);
                drop(reply.send(fault::internal_error(is_dynamodb)));
            }
            CallFault::RequestLost => {}
            CallFault::ResponseLost => self.apply_call(request, None),
            CallFault::Delayed => {
                let delay_ms = self.random.between(1, 15_000);
                self.plan_after(delay_ms, Event::ApplyDelayedCall(request));
            }
            CallFault::CrashBefore => self.crash(container, "crashed"),
            CallFault::CrashAfter => {
                self.apply_call(request, None);
                self.crash(container, "crashed");
            }
        }
    }

    /// Applies a call, and sends the response if there is a caller.
    pub fn apply_call(&mut self, request: Request, reply: Option<Reply>) {
        let response = if transport::is_for_sqs(&request) {
            self.apply_to_queue(&request)
        } else if transport::is_for_dynamodb(&request) {
            self.apply_to_table(&request)
        } else if transport::is_for_registry(&request) {
            return apply_to_router(self.registry.clone(), request, reply);
        } else {
            return self.apply_to_data_plane(request, reply);
        };
        if let Some(reply) = reply {
            drop(reply.send(response));
        }
    }

    /// Applies a call in a task of its own, because a direct message waits for the device's acknowledgement.
    fn apply_to_data_plane(&mut self, request: Request, reply: Option<Reply>) {
        let (router, clock) = (self.data_plane.clone(), self.clock.clone());
        tokio::spawn(async move {
            // The broker waits for the acknowledgement by the stack's clock, which otherwise moves only with events.
            let timeout_ms = clock.now_ms() + ACKNOWLEDGEMENT_TIMEOUT_MS;
            let mut call = std::pin::pin!(router.oneshot(request.map(Body::from)));
            let answered = tokio::select! {
                biased;
                answered = &mut call => answered,
                () = tokio::time::sleep(Duration::from_millis(ACKNOWLEDGEMENT_TIMEOUT_MS.unsigned_abs())) => {
                    let left_ms = (timeout_ms - clock.now_ms()).max(0);
                    clock.advance(Duration::from_millis(left_ms.unsigned_abs()));
                    call.await
                }
            };
            let response = in_memory(answered.unwrap_or_else(|never| match never {})).await;
            if let Some(reply) = reply {
                drop(reply.send(response));
            }
        });
    }

    fn apply_to_table(&mut self, request: &Request) -> http::Response<Bytes> {
        let operation = transport::operation(request);
        let now_ms = self.now_ms();
        if operation == "Query" && self.random.chance(self.fault_rates.index_lag) {
            let then_ms = now_ms - self.random.between(1, 3_000);
            if let Some(response) = self.fixture.dynamodb.query_as_of(request.body(), then_ms) {
                return response;
            }
        }
        if operation == "Query"
            && let Some(response) = self.fixture.dynamodb.query_unused_shard(request.body())
        {
            return response;
        }
        let (response, change) = self.fixture.dynamodb.execute(&operation, request.body(), now_ms);
        if let Some((table, change)) = change {
            if let Some(write) = self.fixture.dynamodb.writes().last().filter(|_| self.is_executions_table(&table)) {
                self.record_item_write(write.clone());
            }
            self.append_to_stream(&table, change);
        }
        response
    }

    fn is_executions_table(&self, table: &str) -> bool {
        self.fixture.lambda.executions_table() == table
    }

    /// Adds a write to the history, as an image of a row or of a lane.
    fn record_item_write(&mut self, write: ItemWrite) {
        let ItemWrite { at_ms, key: (pk, sk), item, .. } = write;
        let thing = pk.trim_start_matches("T#").to_owned();
        if let Some(lane) = sk.strip_prefix("L#") {
            let ids = item.as_ref().and_then(|item| item["ids"]["L"].as_array()).cloned().unwrap_or_default();
            let ids: Vec<String> = ids.iter().filter_map(|id| Some(id["S"].as_str()?.to_owned())).collect();
            self.trace(|| format!("  lane {thing}/{lane}: {ids:?}"));
            let after_images = self.history.images.len();
            return self.history.lanes.push(LaneImage { after_images, thing, lane: lane.to_owned(), ids });
        }
        let image = match item {
            Some(item) => RowImage::read(at_ms, &item),
            None => sk.strip_prefix("E#").map(|id| RowImage::deleted(at_ms, thing, id.to_owned())),
        };
        if let Some(image) = image {
            self.trace(|| format!("  {image}"));
            self.history.images.push(image);
        }
    }

    /// Applies a SendMessageBatch to the queue of ticks: each message is delivered to its function after its delay.
    fn apply_to_queue(&mut self, request: &Request) -> http::Response<Bytes> {
        let batch: Value = serde_json::from_slice(request.body()).expect("the request is JSON");
        let function = self.fixture.lambda.index_of(Handler::ReconcileCommands);
        let mut successful = Vec::new();
        for entry in batch["Entries"].as_array().expect("the request is a SendMessageBatch") {
            let id = self.next_request_id();
            let message_id = format!("message-{id}");
            let record = json!({"messageId": message_id, "eventSource": "aws:sqs", "body": entry["MessageBody"]});
            let event = json!({"Records": [record]}).to_string();
            let delay_ms = entry["DelaySeconds"].as_i64().unwrap_or(0) * 1000 + self.random.between(1, 2_000);
            let invocation = Invocation { id, function, event, invoker: Invoker::Queue, retries: 0 };
            // No queue loses a message, but a crashed sender looks the same, and nothing may depend on one.
            if !self.random.chance(self.fault_rates.events) {
                self.invoke_async(invocation, delay_ms);
            }
            successful.push(json!({"Id": entry["Id"], "MessageId": message_id, "MD5OfMessageBody": ""}));
        }
        dynamodb::respond(200, json!({"Successful": successful, "Failed": []}).to_string().into())
    }
}

/// Answers a call in a task of its own.
fn apply_to_router(router: axum::Router, request: Request, reply: Option<Reply>) {
    tokio::spawn(async move {
        let response = router.oneshot(request.map(Body::from)).await.unwrap_or_else(|never| match never {});
        if let Some(reply) = reply {
            let _ = reply.send(in_memory(response).await);
        }
    });
}

/// A response with its whole body.
async fn in_memory(response: http::Response<Body>) -> http::Response<Bytes> {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    http::Response::from_parts(parts, body)
}
