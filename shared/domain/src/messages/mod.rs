//! Messages between the cloud and a device: requests, cancel notices, reports, and commands in shadows.

pub(crate) mod cancel_notice;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod shadow;
