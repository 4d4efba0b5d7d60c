//! Measures trimming a shadow message against parsing it into a tree: `cargo bench --bench trim`.
//!
//! `trim` is the trimming alone. `checked` adds the pass in which the Lambda runtime checks that an event is JSON.
//! `tree` is parsing into `serde_json::Value`, without any trimming. Times are medians of one run. The exit status is 1
//! if tree : trim is below ten at 8 KB.

// The crate forbids clocks and output; a benchmark needs both.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use domain::trim::{TrimOptions, trim_message};
use serde_json::value::RawValue;

/// A delta message of about `bytes` bytes, as the shadow service publishes it: the metadata is larger than the state.
fn message(bytes: usize) -> String {
    let mut state = String::new();
    let mut metadata = String::new();
    let mut n = 0;
    while state.len() + metadata.len() + 140 < bytes {
        let comma = if n == 0 { "" } else { "," };
        state += &format!(r#"{comma}"sensor-{n:03}":{{"value":{n}.25,"unit":"celsius","on":true}}"#);
        let at = r#"{"timestamp":1700000000}"#;
        metadata += &format!(r#"{comma}"sensor-{n:03}":{{"value":{at},"unit":{at},"on":{at}}}"#);
        n += 1;
    }
    let own = format!(r#""version":12345,"timestamp":1700000000,"state":{{{state}}},"metadata":{{{metadata}}}"#);
    format!(r#"{{{own},"clientToken":"0123456789ab","thing":"pump-7","receivedAt":1700000000000}}"#)
}

/// The time of one call: the median of 101 batches.
fn median(mut work: impl FnMut()) -> Duration {
    const BATCH: u32 = 200;
    let mut batches: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            (0..BATCH).for_each(|_| work());
            start.elapsed() / BATCH
        })
        .collect();
    batches.sort();
    batches[batches.len() / 2]
}

fn main() {
    let options = TrimOptions::default();
    println!("{:>8} {:>12} {:>12} {:>12} {:>14}", "bytes", "trim", "checked", "tree", "tree : trim");
    let mut at_8_kb = 0.0;
    for bytes in [1024, 2048, 4096, 8192] {
        let text = message(bytes);
        let message: Box<RawValue> = serde_json::from_str(&text).expect("JSON");
        let trimmed = median(|| {
            black_box(trim_message(black_box(&message), &options, 1_700_000_000).is_ok());
        });
        let checked = median(|| {
            black_box(
                serde_json::from_str::<&RawValue>(black_box(&text))
                    .is_ok_and(|m| trim_message(m, &options, 1_700_000_000).is_ok()),
            );
        });
        let tree = median(|| {
            black_box(serde_json::from_str::<serde_json::Value>(black_box(&text)).is_ok());
        });
        at_8_kb = tree.as_secs_f64() / trimmed.as_secs_f64();
        println!("{:>8} {trimmed:>12.2?} {checked:>12.2?} {tree:>12.2?} {at_8_kb:>13.1}x", text.len());
    }
    if at_8_kb < 10.0 {
        eprintln!("trimming 8 KB should be at least 10 times as fast as parsing it into a tree");
        std::process::exit(1);
    }
}
