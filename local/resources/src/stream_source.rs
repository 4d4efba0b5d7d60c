//! The event source mapping from a table's change stream to a function.

use super::Pattern;

/// A `DynamoDB` event of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSource {
    /// ARN of the stream.
    pub stream_arn: String,
    /// ARN of the function that is invoked.
    pub function_arn: String,
    /// `StartingPosition`: `TRIM_HORIZON`; `LATEST` otherwise.
    pub from_the_oldest: bool,
    /// Most records of one invoke.
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`.
    pub window_s: u32,
    /// `MaximumRetryAttempts`; `None` is without bound.
    pub retries: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; `None` is without bound.
    pub record_age_s: Option<u32>,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// `ParallelizationFactor`.
    pub parallel: u64,
    /// `TumblingWindowInSeconds`.
    pub tumbling_s: Option<u32>,
    /// Whether the function names the first record of a batch that failed (`ReportBatchItemFailures`).
    pub partial_failures: bool,
    /// ARN of the queue for the records of discarded batches.
    pub on_failure: Option<String>,
    /// `FilterCriteria`: a record passes if one of them matches, or if there are none.
    pub filters: Vec<Pattern>,
}

impl StreamSource {
    /// Whether one of the filters lets a record, in JSON, through.
    pub fn wants(&self, record: &str) -> bool {
        if self.filters.is_empty() {
            return true;
        }
        let record = serde_json::from_str(record).unwrap_or_default();
        self.filters.iter().any(|filter| filter.matches(&record))
    }
}
