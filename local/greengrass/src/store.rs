//! Core devices, the client devices that are associated with them, and their addresses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Core devices by the names of their things.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Store {
    pub(super) cores: BTreeMap<String, Core>,
}

/// A core device: a thing that client devices are associated with, or whose addresses are known.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Core {
    /// The associated client devices: the name of the thing, and when it was associated, in milliseconds since 1970.
    pub(super) clients: BTreeMap<String, i64>,
    /// Its addresses; none if nothing has been said of them.
    pub(super) connectivity: Option<Vec<Address>>,
    /// Counts the changes of its addresses.
    pub(super) version: u64,
    /// When something of it was last changed, in milliseconds since 1970.
    pub(super) changed_ms: i64,
}

/// An address of a core device, as operations and discovery show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Address {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) host_address: String,
    #[serde(default)]
    pub(super) port_number: u16,
    #[serde(default)]
    pub(super) metadata: String,
}
