//! `AWS::SQS::Queue`, and the event source mapping from a queue to a function.

/// `AWS::SQS::Queue`.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Physical name.
    pub name: String,
    /// `VisibilityTimeout`, in seconds.
    pub visibility_s: u32,
    /// `DelaySeconds`.
    pub delay_s: u32,
    /// `MessageRetentionPeriod`, in seconds.
    pub retention_s: u32,
}

impl From<String> for Queue {
    /// A queue with AWS's defaults and this name.
    fn from(name: String) -> Self {
        Self { name, visibility_s: 30, delay_s: 0, retention_s: 345_600 }
    }
}

/// An `SQS` event of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSource {
    /// ARN of the queue.
    pub queue_arn: String,
    /// ARN of the function that is invoked.
    pub function_arn: String,
    /// Most messages of one invoke.
    pub batch_size: usize,
    /// Whether the function names the messages of a batch that failed (`ReportBatchItemFailures`).
    pub partial_failures: bool,
    /// `ScalingConfig.MaximumConcurrency`: most invokes at a time.
    pub max_concurrency: usize,
}
