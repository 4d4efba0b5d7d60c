//! Filters of a mapping.

use local_resources::Pattern;

use super::*;

fn pattern(pattern: Value) -> Pattern {
    Pattern::parse(&pattern.to_string()).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

#[tokio::test]
async fn records_that_match_no_filter_are_skipped() {
    let filters = vec![
        pattern(json!({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"do": {"S": ["yes"]}}}})),
        pattern(json!({"dynamodb": {"Keys": {"sk": {"N": ["4"]}}}})),
    ];
    let bench = Bench::new(StreamSource { filters, batch_size: 2, window_s: 5, ..source() }).await;
    bench.put_all(&["no"; 4]).await;
    assert_eq!(bench.mappings.next_ms(), None, "no window opens");
    bench.put_all(&["yes", "no", "no", "no", "no", "yes", "yes"]).await;
    assert_eq!(bench.keys(), [[4, 5]], "the first was there already, and changed");
    bench.advance(5).await;
    assert_eq!(bench.keys(), [vec![4, 5], vec![6]]);
}
