//! What the functions write to their log: lines of JSON, some of which CloudWatch counts (embedded metric format).

use std::sync::atomic::{AtomicBool, Ordering};

use domain::Timestamp;
use serde_json::{Map, Value, json};

/// Standard output belongs to whoever runs the process, until that is a function.
static STARTED: AtomicBool = AtomicBool::new(false);

/// Starts logging, as JSON on standard output.
pub fn start() {
    STARTED.store(true, Ordering::Relaxed);
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::INFO)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .init();
}

/// Writes one line that CloudWatch counts, with whatever helps to find out about it.
pub fn count(at: Timestamp, counted: &[(&str, u64)], about: &[(&str, &str)]) {
    if STARTED.load(Ordering::Relaxed) {
        println!("{}", line(at, counted, about));
    }
}

fn line(at: Timestamp, counted: &[(&str, u64)], about: &[(&str, &str)]) -> Value {
    let metrics: Vec<Value> = counted.iter().map(|(name, _)| json!({"Name": name})).collect();
    let mut line = Map::new();
    let mut put = |name: &str, value| line.insert(name.to_owned(), value);
    put(
        "_aws",
        json!({
            "Timestamp": at.as_millis(),
            "CloudWatchMetrics": [{"Namespace": "Flaghoist", "Dimensions": [[]], "Metrics": metrics}],
        }),
    );
    for (name, number) in counted {
        put(name, json!(number));
    }
    for (name, text) in about {
        put(name, json!(text));
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_what_it_counts() {
        let line = line(Timestamp::from_millis(7), &[("ReportUnknown", 1)], &[("topic", "cmd/x/resp\n")]);
        assert_eq!(line["_aws"]["Timestamp"], 7);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "ReportUnknown");
        assert_eq!((&line["ReportUnknown"], &line["topic"]), (&json!(1), &json!("cmd/x/resp\n")));
        assert!(!line.to_string().contains('\n'));
    }
}
