//! AWS IoT Greengrass, as client devices use it: they are associated with a core device, and ask the cloud for the
//! addresses of their core devices.
//!
//! No core software runs here. The broker of the stack plays each core device: discovery answers with its address and its
//! authority, so that a client device connects to it, and what it publishes there is in the cloud at once, as if the core
//! bridged every topic.
//!
//! | module | holds |
//! |---|---|
//! | [`store`] | core devices, their associations and addresses |
//! | [`associations`] | the operations of Greengrass V2 on client devices and core devices |
//! | [`connectivity`] | the addresses of a core device |
//! | [`discovery`] | what a client device asks for |
//! | [`answer`] | answers and exceptions |

mod answer;
mod associations;
mod connectivity;
mod discovery;
mod store;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use local_clock::Clock;
use local_pki::Pki;
use local_registry::Registry;
use serde::Deserialize;
use serde_json::Value;

use store::Store;

/// Handle of the service; clones share its state.
#[derive(Clone)]
pub struct Greengrass(Arc<Inner>);

struct Inner {
    clock: Clock,
    registry: Registry,
    pki: Pki,
    /// Where the broker serves MQTT with mutual TLS.
    broker: SocketAddr,
    store: Mutex<Store>,
}

impl Greengrass {
    /// The service without associations. `broker`: where MQTT with mutual TLS is served, in place of the core devices.
    pub fn new(clock: Clock, registry: Registry, pki: Pki, broker: SocketAddr) -> Self {
        Self(Arc::new(Inner { clock, registry, pki, broker, store: Mutex::default() }))
    }

    /// The HTTP API: the operations, and discovery.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/greengrass/discover/thing/{thing}", get(discovery::discover))
            .route("/greengrass/things/{thing}/connectivityInfo", get(connectivity::get).put(connectivity::update))
            .route("/greengrass/v2/coreDevices", get(associations::list_cores))
            .route("/greengrass/v2/coreDevices/{core}", get(associations::get_core).delete(associations::delete_core))
            .route("/greengrass/v2/coreDevices/{core}/associateClientDevices", post(associations::associate))
            .route("/greengrass/v2/coreDevices/{core}/disassociateClientDevices", post(associations::disassociate))
            .route("/greengrass/v2/coreDevices/{core}/associatedClientDevices", get(associations::list))
            .with_state(self.clone())
    }

    /// The whole state as JSON, for [`Greengrass::restore`].
    pub fn snapshot(&self) -> Value {
        // The state holds maps with string keys and whole numbers only, so serialization cannot fail.
        serde_json::to_value(&*self.store()).unwrap_or_default()
    }

    /// Replaces the state by a [`Greengrass::snapshot`].
    ///
    /// # Errors
    /// `state` is not a snapshot; the state is unchanged.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        *self.store() = Store::deserialize(state)?;
        Ok(())
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
