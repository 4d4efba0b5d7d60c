//! The AWS IoT control plane (`iot`): things, types, groups, certificates, policies, endpoints, fleet indexing.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | method and path of each operation |
//! | [`http`] | requests and responses of the REST-JSON protocol |
//! | [`check`] | constraints of the API model and their validation errors |
//! | [`paging`] | pages of results and their tokens |
//! | [`error`] | exceptions of AWS IoT |
//! | [`store`] | state of the registry, region and account, context of a request |
//! | [`things`] | things |
//! | [`types`] | thing types |
//! | [`attributes`] | attributes of things and groups: replace and merge |
//! | [`groups`] | thing groups and their hierarchy |
//! | [`members`] | members of thing groups |
//! | [`certificates`] | device certificates |
//! | [`new_keys`] | `CreateKeysAndCertificate` |
//! | [`certificate_variables`] | policy variables of a certificate: its subject and its issuer |
//! | [`principals`] | attachments of certificates to things |
//! | [`policies`] | policies and their versions |
//! | [`document`] | policy documents: parsing and evaluation |
//! | [`condition`] | conditions of a policy's statements |
//! | [`pattern`] | patterns of policies with `*`, `?` and variables |
//! | [`attachments`] | attachments of policies to certificates and groups |
//! | [`authorize`] | evaluation of the policies that apply to a device |
//! | [`endpoint`] | `DescribeEndpoint` |
//! | [`targets`] | ARNs, things and members of groups, for other services |
//! | [`search`] | fleet indexing: `SearchIndex` and the index configuration |
//! | [`fleet`] | adds many things in one step, for tests and the demo |

mod attachments;
mod attributes;
mod authorize;
mod certificate_variables;
mod certificates;
mod check;
mod condition;
mod document;
mod endpoint;
mod error;
mod fleet;
mod groups;
mod http;
mod members;
mod new_keys;
mod paging;
mod pattern;
mod policies;
mod principals;
mod routes;
mod search;
mod store;
mod targets;
mod things;
mod types;

use std::sync::{Arc, PoisonError, RwLock};

use certificates::Certificate;
use document::Document;
use local_clock::Clock;
use local_pki::Pki;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

pub use authorize::{AccessRequest, ConnectAttributes};
pub use fleet::AddError;
pub use search::{Connectivity, ConnectivityLookup};
use store::{Context, Scope, Store};

/// Why a policy of a template is refused.
#[derive(Debug, thiserror::Error)]
#[error("policy {name}: {why}")]
pub struct PolicyError {
    name: String,
    why: String,
}

/// Handle of the registry; clones share its state.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    clock: Clock,
    pki: Pki,
    scope: Scope,
    store: RwLock<Store>,
    /// Counts the calls of [`Registry::write`].
    changes: watch::Sender<u64>,
}

impl Registry {
    /// Creates an empty registry. `DescribeEndpoint` returns `data_endpoint`, a host name, for every endpoint type.
    pub fn new(clock: Clock, pki: Pki, region: &str, account: &str, data_endpoint: &str) -> Self {
        let scope =
            Scope { region: region.to_owned(), account: account.to_owned(), data_endpoint: data_endpoint.to_owned() };
        let changes = watch::Sender::new(0);
        Self(Arc::new(Inner { clock, pki, scope, store: RwLock::default(), changes }))
    }

    /// Whether the certificate with this id (SHA-256 of its DER in hex) is registered and ACTIVE.
    pub fn is_active(&self, certificate_id: &str) -> bool {
        self.read(|store, _| store.is_active(certificate_id))
    }

    /// Whether the policies of a certificate, and of the groups of its thing, allow an action on a resource.
    ///
    /// Evaluation follows the AWS IoT Core developer guide, "AWS IoT Core policies".
    pub fn allows(&self, certificate_id: &str, request: &AccessRequest<'_>) -> bool {
        self.read(|store, context| store.allows(context.scope, certificate_id, request))
    }

    /// The ARN of a thing; none if there is no such thing.
    pub fn thing_arn(&self, name: &str) -> Option<String> {
        self.read(|store, context| store.things.contains_key(name).then(|| context.scope.arn("thing", name)))
    }

    /// Declares a policy of a template: creates it, or makes `document` its default version.
    ///
    /// # Errors
    /// AWS IoT has no policies of this name or with this document, or the local stack does not support what is in it.
    pub fn declare_policy(&self, name: &str, document: &Value) -> Result<(), PolicyError> {
        let refused = |why: String| PolicyError { name: name.to_owned(), why };
        check::policy_name(name).map_err(|error| refused(error.message))?;
        let document = Document::try_from(document.to_string()).map_err(|error| refused(error.to_string()))?;
        self.write(|store, context| store.declare_policy(context, name, &document));
        Ok(())
    }

    /// The HTTP API of the registry. Its fallback returns `UnknownOperationException`.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// The HTTP API of fleet indexing, to be merged with [`Registry::router`].
    pub fn index_router(&self, connections: ConnectivityLookup) -> axum::Router {
        search::router(self.clone(), connections)
    }

    /// The whole state of the registry as JSON, for [`Registry::restore`].
    pub fn snapshot(&self) -> Value {
        // The state holds maps with string keys and finite numbers only, so serialization cannot fail.
        self.read(|store, _| serde_json::to_value(store).unwrap_or_default())
    }

    /// Replaces the state by a [`Registry::snapshot`].
    ///
    /// # Errors
    /// `state` is not a snapshot; the registry is unchanged.
    pub fn restore(&self, state: &Value) -> Result<(), serde_json::Error> {
        let restored = Store::deserialize(state)?;
        self.write(|store, context| {
            *store = restored;
            store.certificates.values_mut().for_each(Certificate::read_variables);
            let foreign = store.certificates.iter().filter(|(_, certificate)| certificate.foreign);
            foreign.for_each(|(id, _)| context.pki.trust(id));
        });
        Ok(())
    }

    fn read<T>(&self, run: impl FnOnce(&Store, &Context<'_>) -> T) -> T {
        run(&self.0.store.read().unwrap_or_else(PoisonError::into_inner), &self.context())
    }

    fn write<T>(&self, run: impl FnOnce(&mut Store, &Context<'_>) -> T) -> T {
        let done = run(&mut self.0.store.write().unwrap_or_else(PoisonError::into_inner), &self.context());
        self.0.changes.send_modify(|changes| *changes += 1);
        done
    }

    fn context(&self) -> Context<'_> {
        Context { scope: &self.0.scope, pki: &self.0.pki, now_ms: self.0.clock.now_ms() }
    }
}

#[cfg(test)]
mod tests;
