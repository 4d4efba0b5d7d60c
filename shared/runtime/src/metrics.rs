//! The log of a function: lines of JSON on standard output. CloudWatch counts those in the embedded metric format:
//! Amazon CloudWatch User Guide, "Specification: Embedded metric format".

use std::sync::atomic::{AtomicBool, Ordering};

use aws::Error;
use domain::{ThingName, Timestamp};
use serde_json::{Map, Value, json};

use crate::handler_error::chain;

/// Whether this process is a function. In a test, standard output belongs to the test runner.
static LOGS: AtomicBool = AtomicBool::new(false);

/// Starts the log of a function. Until then, [`count`] writes nothing.
pub fn start_log() {
    LOGS.store(true, Ordering::Relaxed);
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::INFO)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .init();
}

/// Writes one line with metrics in the namespace Flaghoist, and with properties that explain them.
pub fn count(at: Timestamp, metrics: &[(&str, u64)], properties: &[(&str, &str)]) {
    if LOGS.load(Ordering::Relaxed) {
        println!("{}", line(at, metrics, properties));
    }
}

/// Logs and counts the rows of a thing that can't be read. An operator has to repair them; the readable rows are served
/// meanwhile.
pub fn count_unreadable(at: Timestamp, thing: &ThingName, unreadable: &[Error]) {
    for error in unreadable {
        tracing::error!(error = chain(error), "a row can't be read, and is left out");
    }
    if !unreadable.is_empty() {
        let number = u64::try_from(unreadable.len()).unwrap_or(u64::MAX);
        count(at, &[("RowsUnreadable", number)], &[("thing", thing.as_str())]);
    }
}

fn line(at: Timestamp, metrics: &[(&str, u64)], properties: &[(&str, &str)]) -> Value {
    let declared: Vec<Value> = metrics.iter().map(|(name, _)| json!({"Name": name})).collect();
    let mut line = Map::new();
    let mut put = |name: &str, value| line.insert(name.to_owned(), value);
    put(
        "_aws",
        json!({
            "Timestamp": at.as_millis(),
            "CloudWatchMetrics": [{"Namespace": "Flaghoist", "Dimensions": [[]], "Metrics": declared}],
        }),
    );
    for (name, number) in metrics {
        put(name, json!(number));
    }
    for (name, text) in properties {
        put(name, json!(text));
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_declares_the_metrics_that_it_contains() {
        let line = line(Timestamp::from_millis(7), &[("ReportUnknown", 1)], &[("topic", "cmd/x/resp\n")]);
        assert_eq!(line["_aws"]["Timestamp"], 7);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "ReportUnknown");
        assert_eq!((&line["ReportUnknown"], &line["topic"]), (&json!(1), &json!("cmd/x/resp\n")));
        assert!(!line.to_string().contains('\n'));
    }
}
