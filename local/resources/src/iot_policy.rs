//! A policy of devices.

use serde_json::Value;

/// `AWS::IoT::Policy`.
#[derive(Clone, Debug)]
pub struct IotPolicy {
    /// Physical name.
    pub name: String,
    /// The policy document, an object.
    pub document: Value,
}
