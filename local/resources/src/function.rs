//! `AWS::Serverless::Function`.

use std::collections::BTreeMap;

/// `AWS::Serverless::Function`, Globals applied.
#[derive(Clone, Debug)]
pub struct Function {
    /// The resource's key in the template.
    pub logical_id: String,
    /// Physical name.
    pub name: String,
    /// ARN without a version.
    pub arn: String,
    /// `Metadata.BuildProperties.Binary`.
    pub binary: String,
    /// `MemorySize`, in MB.
    pub memory_mb: u32,
    /// `Timeout`, in seconds.
    pub timeout_s: u32,
    /// `Environment.Variables`.
    pub environment: BTreeMap<String, String>,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<usize>,
    /// `MaximumRetryAttempts` of its `EventInvokeConfig`; 2 without one, as on AWS.
    pub retries: u8,
    /// `MaximumEventAgeInSeconds` of its `EventInvokeConfig`; 21,600 without one, as on AWS.
    pub event_age_s: u32,
    /// ARN of the queue for asynchronous events whose last attempt failed.
    pub on_failure: Option<String>,
}
