//! Property test: the subscription tree agrees with `matches` on every filter and topic.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::matches;
use crate::subscriptions::{SubscriptionOptions, SubscriptionTree};
use crate::topic::Filter;

fn levels(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(choices), 1..5).prop_map(|levels| levels.join("/"))
}

proptest! {
    #[test]
    fn subscription_tree_agrees_with_matches(
        filters in proptest::collection::vec(levels(&["a", "b", "", "+", "$aws", "#"]), 0..12),
        removed in proptest::collection::vec(any::<bool>(), 12),
        topic in levels(&["a", "b", "", "$aws"]),
    ) {
        let mut tree = SubscriptionTree::default();
        let mut remaining = BTreeSet::new();
        let valid: BTreeSet<&String> = filters.iter().filter(|filter| Filter::parse(filter).is_ok()).collect();
        for (filter, removed) in valid.into_iter().zip(removed) {
            let parsed = Filter::parse(filter).expect("a valid filter");
            prop_assert!(tree.insert(parsed, &filter.as_str().into(), SubscriptionOptions::default()));
            if removed {
                prop_assert!(tree.remove(parsed, filter));
                prop_assert!(!tree.remove(parsed, filter));
            } else {
                remaining.insert(filter.clone());
            }
        }
        let found: BTreeSet<String> =
            tree.recipients(&topic, None, |_| true).into_iter().map(|recipient| recipient.client.to_string()).collect();
        let expected: BTreeSet<String> = remaining.iter().filter(|filter| matches(filter, &topic)).cloned().collect();
        prop_assert_eq!(found, expected);
        for filter in &remaining {
            prop_assert!(tree.remove(Filter::parse(filter).expect("a valid filter"), filter));
        }
        prop_assert!(tree.is_empty());
    }
}
