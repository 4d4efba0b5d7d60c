//! Reports: a device's message about an execution, in each of the formats that devices use.

pub(crate) mod channel;
pub(crate) mod content;
pub(crate) mod decode;
pub(crate) mod device_report;
pub(crate) mod echo;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod printable;
pub(crate) mod python_bytes;
pub(crate) mod reason_code;
pub(crate) mod reported_status;
pub(crate) mod result;
pub(crate) mod text;
pub(crate) mod unusable;

#[cfg(test)]
mod tests;
