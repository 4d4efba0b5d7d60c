//! The tree of subscriptions and the plain comparison of filter and topic say the same.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::matches;
use crate::subscriptions::{Options, Tree};
use crate::topic::Filter;

fn levels(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(choices), 1..5).prop_map(|levels| levels.join("/"))
}

proptest! {
    #[test]
    fn the_tree_finds_what_matches(
        filters in proptest::collection::vec(levels(&["a", "b", "", "+", "$aws", "#"]), 0..12),
        removed in proptest::collection::vec(any::<bool>(), 12),
        topic in levels(&["a", "b", "", "$aws"]),
    ) {
        let mut tree = Tree::default();
        let mut kept = BTreeSet::new();
        let good: BTreeSet<&String> = filters.iter().filter(|filter| Filter::parse(filter).is_ok()).collect();
        for (filter, removed) in good.into_iter().zip(removed) {
            let parsed = Filter::parse(filter).expect("good");
            prop_assert!(tree.insert(parsed, &filter.as_str().into(), Options::default()));
            if removed {
                prop_assert!(tree.remove(parsed, filter));
                prop_assert!(!tree.remove(parsed, filter));
            } else {
                kept.insert(filter.clone());
            }
        }
        let found: BTreeSet<String> =
            tree.targets(&topic, None, |_| true).into_iter().map(|target| target.client.to_string()).collect();
        let expected: BTreeSet<String> = kept.iter().filter(|filter| matches(filter, &topic)).cloned().collect();
        prop_assert_eq!(found, expected);
        for filter in &kept {
            prop_assert!(tree.remove(Filter::parse(filter).expect("good"), filter));
        }
        prop_assert!(tree.is_empty());
    }
}
