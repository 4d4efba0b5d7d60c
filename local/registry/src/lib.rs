//! The `iot` control plane: things, types, groups, certificates, policies, endpoints, the index of things.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | methods and paths of the operations |
//! | [`http`] | requests and answers in the REST-JSON protocol |
//! | [`check`] | constraints of the API model, and the errors for breaking them |
//! | [`paging`] | pages of results, and their tokens |
//! | [`error`] | the exceptions of AWS IoT |
//! | [`store`] | everything that the registry holds |
//! | [`things`] | things |
//! | [`types`] | thing types |
//! | [`attributes`] | attributes of things and groups |
//! | [`groups`] | thing groups and their tree |
//! | [`members`] | which things are in which groups |
//! | [`certificates`] | device certificates |
//! | [`principals`] | which certificates are attached to which things |
//! | [`policies`] | policies and their versions |
//! | [`document`] | policy documents: parsing and evaluation |
//! | [`pattern`] | patterns in policies, with `*`, `?` and variables |
//! | [`attachments`] | which policies are attached to which certificates and groups |
//! | [`authorize`] | whether a device is allowed an action |
//! | [`endpoint`] | DescribeEndpoint |
//! | [`search`] | fleet indexing: SearchIndex and the index configuration |
//! | [`fleet`] | adds many things at once, for tests and the demo |

mod attachments;
mod attributes;
mod authorize;
mod certificates;
mod check;
mod document;
mod endpoint;
mod error;
mod fleet;
mod groups;
mod http;
mod members;
mod paging;
mod pattern;
mod policies;
mod principals;
mod routes;
mod search;
mod store;
mod things;
mod types;

use std::sync::{Arc, PoisonError, RwLock};

use local_clock::Clock;
use local_pki::Pki;
use serde::Deserialize;
use serde_json::Value;

pub use fleet::NotAdded;
pub use search::{Connections, Connectivity};
use store::{Call, Site, Store};

/// A handle on the registry; clones share it.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    clock: Clock,
    pki: Pki,
    site: Site,
    store: RwLock<Store>,
}

impl Registry {
    /// `data_endpoint` is what DescribeEndpoint answers for `iot:Data-ATS`.
    pub fn new(clock: Clock, pki: Pki, region: &str, account: &str, data_endpoint: &str) -> Self {
        let site =
            Site { region: region.to_owned(), account: account.to_owned(), data_endpoint: data_endpoint.to_owned() };
        Self(Arc::new(Inner { clock, pki, site, store: RwLock::default() }))
    }

    /// True when a certificate with this id (the SHA-256 of its DER, in hex) is registered and ACTIVE.
    pub fn is_active(&self, certificate_id: &str) -> bool {
        self.read(|store, _| store.is_active(certificate_id))
    }

    /// Evaluates the policies attached to a certificate (and to the groups of its thing), as AWS IoT does.
    /// `action` is like `iot:Publish`, `resource` a client id, topic or topic filter.
    pub fn allows(&self, certificate_id: &str, client_id: &str, action: &str, resource: &str) -> bool {
        self.read(|store, call| store.allows(call.site, certificate_id, client_id, action, resource))
    }

    /// The HTTP API. Its fallback answers UnknownOperationException.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// The HTTP API of the index, beside [`Registry::router`].
    pub fn index(&self, connections: Connections) -> axum::Router {
        search::router(self.clone(), connections)
    }

    /// Everything that the registry knows.
    pub fn snapshot(&self) -> Value {
        // Maps with text keys and numbers only: there is nothing that JSON cannot say.
        self.read(|store, _| serde_json::to_value(store).unwrap_or_default())
    }

    /// Puts the registry back to a [`Registry::snapshot`]; one that cannot be read changes nothing.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        let restored = Store::deserialize(state)?;
        self.write(|store, call| {
            *store = restored;
            let foreign = store.certificates.iter().filter(|(_, certificate)| certificate.foreign);
            foreign.for_each(|(id, _)| call.pki.trust(id));
        });
        Ok(())
    }

    fn read<T>(&self, run: impl FnOnce(&Store, &Call<'_>) -> T) -> T {
        run(&self.0.store.read().unwrap_or_else(PoisonError::into_inner), &self.call())
    }

    fn write<T>(&self, run: impl FnOnce(&mut Store, &Call<'_>) -> T) -> T {
        run(&mut self.0.store.write().unwrap_or_else(PoisonError::into_inner), &self.call())
    }

    fn call(&self) -> Call<'_> {
        Call { site: &self.0.site, pki: &self.0.pki, now_ms: self.0.clock.now_ms() }
    }
}

#[cfg(test)]
mod tests;
