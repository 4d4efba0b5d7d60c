//! AWS IoT Jobs: operators create jobs for things and groups, and devices work through their executions over MQTT and
//! HTTPS.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | method and path of each operation of the control plane |
//! | [`create`] | `CreateJob`, `AssociateTargetsWithJob` |
//! | [`manage`] | `DescribeJob`, `GetJobDocument`, `ListJobs`, `UpdateJob` |
//! | [`cancel`] | `CancelJob`, `DeleteJob` |
//! | [`executions`] | an operator's operations on executions |
//! | [`device`] | a device's operations on its executions |
//! | [`mqtt`] | a device's requests on topics, and their answers |
//! | [`https`] | a device's requests over HTTPS |
//! | [`store`] | the state of the service |
//! | [`job`] | one job, and how it is shown |
//! | [`execution`] | one execution, its timers, and how it is shown |
//! | [`status`] | statuses of jobs and executions |
//! | [`details`] | `statusDetails` |
//! | [`config`] | rollout, abort, timeout and retry |
//! | [`transaction`] | the changes of one request, and the messages that they lead to |
//! | [`transitions`] | changes of an execution's status, and what follows |
//! | [`notifications`] | `notify` and `notify-next` |
//! | [`events`] | events of jobs and executions, and their configuration |
//! | [`rollout`] | creates executions minute by minute |
//! | [`membership`] | follows the registry: targets that join and leave |
//! | [`retry`] | executions that are retried |
//! | [`abort`] | jobs that too many failures cancel |
//! | [`due`] | what is due by the clock |
//! | [`http`] | requests and answers of the REST-JSON protocol |
//! | [`paging`] | pages of results and their tokens |
//! | [`check`] | constraints of the API model |
//! | [`lenient`] | numbers and booleans that are written as text |
//! | [`error`] | exceptions of the control plane |
//! | [`device_error`] | codes and exceptions of a device's operations |

mod abort;
mod cancel;
mod check;
mod config;
mod create;
mod details;
mod device;
mod device_error;
mod due;
mod error;
mod events;
mod execution;
mod executions;
mod http;
mod https;
mod job;
mod lenient;
mod manage;
mod membership;
mod mqtt;
mod notifications;
mod paging;
mod retry;
mod rollout;
mod routes;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod transitions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use local_broker::{Broker, Message, Published};
use local_clock::Clock;
use local_registry::Registry;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Notify;

use store::Store;
use transaction::Transaction;

/// Handle of the service; clones share its state.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    clock: Clock,
    broker: Broker,
    registry: Registry,
    /// Messages are published while this lock is held, so that they are published in the order of the changes.
    store: Mutex<Store>,
    /// A request may have changed what is due next.
    requested: Notify,
}

impl Jobs {
    /// The service without jobs. What is due by the clock is done by [`Jobs::run`], and before each request.
    pub fn new(clock: Clock, broker: Broker, registry: Registry) -> Self {
        Self(Arc::new(Inner { clock, broker, registry, store: Mutex::default(), requested: Notify::new() }))
    }

    /// The HTTP API for operators: a part of the control plane `iot`.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// The HTTP API for devices: `iot-jobs-data`.
    pub fn device_router(&self) -> Router {
        https::router(self.clone())
    }

    /// Handles a message of the broker's tap; ignores messages that are not requests of Jobs.
    pub fn on_published(&self, published: &Published) {
        if published.last_will {
            return; // As the shadow service: a last will is not a request.
        }
        let Message { topic, payload, qos, .. } = &published.message;
        // Most messages are not for this service; those do not wait for the lock.
        let Some(request) = mqtt::parse(topic) else { return };
        self.transact(|transaction| {
            let answer = mqtt::execute(transaction, topic, request, payload);
            let Some(client_id) = &published.publisher.client_id else { return };
            if let Err(error) = self.0.broker.answer(client_id, Message { qos: *qos, ..answer }) {
                tracing::warn!(%topic, %error, "an answer of Jobs was not sent");
            }
        });
    }

    /// Does what is due by the clock, and follows the registry, as long as it is polled.
    pub async fn run(&self) {
        let mut registry = self.0.registry.changes();
        loop {
            registry.mark_unchanged();
            self.catch_up();
            let due = async {
                match self.next_ms() {
                    Some(next_ms) => self.0.clock.sleep_until(next_ms).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.0.requested.notified() => {}
                _ = registry.changed() => {}
            }
        }
    }

    /// Does what is due by now.
    pub fn catch_up(&self) {
        self.catch_up_locked(&mut self.lock());
    }

    /// When something is due next, in milliseconds since 1970; `None` if nothing is.
    pub fn next_ms(&self) -> Option<i64> {
        due::next_ms(&self.lock())
    }

    /// The whole state as JSON, for [`Jobs::restore`].
    pub fn snapshot(&self) -> Value {
        serde_json::to_value(&*self.lock()).unwrap_or_else(|error| {
            tracing::error!(%error, "the jobs cannot be saved");
            Value::Null
        })
    }

    /// Replaces the state by a [`Jobs::snapshot`]. Timers go on as if there had been no interruption.
    ///
    /// # Errors
    /// `state` is not a snapshot; the state is unchanged.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        let mut restored = Store::deserialize(state)?;
        restored.rebuild_timers();
        *self.lock() = restored;
        Ok(())
    }

    /// Runs a request on a state that is up to date, and publishes the messages that its changes lead to.
    fn transact<T>(&self, run: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let mut store = self.lock();
        self.catch_up_locked(&mut store);
        let done = self.commit(&mut store, run);
        drop(store);
        self.0.requested.notify_one();
        done
    }

    fn catch_up_locked(&self, store: &mut Store) {
        let changes = *self.0.registry.changes().borrow();
        self.commit(store, |transaction| due::follow_registry(transaction, changes));
        while self.commit(store, due::run_next) {}
    }

    fn commit<T>(&self, store: &mut Store, run: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let mut transaction = Transaction::new(store, &self.0.registry, self.0.clock.now_ms());
        let done = run(&mut transaction);
        for message in transaction.finish() {
            let topic = message.topic.clone();
            if let Err(error) = self.0.broker.publish(message) {
                tracing::warn!(%topic, %error, "a message of Jobs was not published");
            }
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
