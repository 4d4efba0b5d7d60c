//! Topic filters of FROM clauses. As in AWS IoT and unlike MQTT, `a/#` does not match `a`.

/// A topic filter, split into levels.
#[derive(Clone, Debug)]
pub struct Filter(Vec<Level>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Exact(String),
    /// `+`
    SingleWildcard,
    /// `#`
    MultiWildcard,
}

impl Filter {
    /// Parses a filter; the error states the violated rule.
    pub fn parse(filter: &str) -> Result<Self, String> {
        let invalid = |reason: &str| Err(format!("topic filter '{filter}': {reason}"));
        if filter.is_empty() || filter.len() > 256 {
            return invalid("must be 1 to 256 bytes long");
        }
        if filter.matches('/').count() > 7 {
            return invalid("has more than 7 slashes");
        }
        if filter.starts_with("$aws/rules/") {
            return invalid("Basic Ingest topics cannot be subscribed to");
        }
        let levels: Vec<Level> = filter
            .split('/')
            .map(|level| match level {
                "+" => Level::SingleWildcard,
                "#" => Level::MultiWildcard,
                name => Level::Exact(name.to_owned()),
            })
            .collect();
        if levels.iter().rev().skip(1).any(|level| *level == Level::MultiWildcard) {
            return invalid("# must be the last level");
        }
        match levels.iter().any(|level| matches!(level, Level::Exact(name) if name.contains(['+', '#']))) {
            true => invalid("+ and # must stand alone between slashes"),
            false => Ok(Self(levels)),
        }
    }

    /// Whether a topic, split at its slashes, matches the filter.
    pub fn matches(&self, topic: &[&str]) -> bool {
        let is_reserved = topic.first().is_some_and(|first| first.starts_with('$'));
        if is_reserved && !matches!(self.0.first(), Some(Level::Exact(_))) {
            return false;
        }
        let open_ended = self.0.last() == Some(&Level::MultiWildcard);
        let long_enough = if open_ended { topic.len() >= self.0.len() } else { topic.len() == self.0.len() };
        long_enough
            && self.0.iter().zip(topic).all(|(level, part)| match level {
                Level::Exact(name) => name == part,
                Level::SingleWildcard | Level::MultiWildcard => true,
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Rules and subscriptions with the same filter receive the same messages.
        #[test]
        fn rule_filters_agree_with_the_broker(
            filter in "(\\$?[ab+]|)(/([ab+]|)){0,3}(/#)?|#",
            topic in "\\$?[ab]?(/[ab]?){0,4}",
        ) {
            if let Ok(parsed) = Filter::parse(&filter) {
                let levels: Vec<_> = topic.split('/').collect();
                prop_assert_eq!(parsed.matches(&levels), local_broker::matches(&filter, &topic));
            }
        }
    }

    #[test]
    fn filters_match_as_documented_by_aws() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/+", "a/b", true),
            ("a/+", "a/", true),
            ("a/+", "a", false),
            ("a/+", "a/b/c", false),
            ("+/b", "a/b", true),
            ("a/#", "a", false),
            ("a/#", "a/", true),
            ("a/#", "a/b/c", true),
            ("#", "a/b", true),
            ("#", "$aws/things/x/shadow/get", false),
            ("+/things/#", "$aws/things/x", false),
            ("$aws/things/+/shadow/update/delta", "$aws/things/x/shadow/update/delta", true),
            ("$aws/#", "$aws/things/x", true),
        ] {
            let parts: Vec<_> = topic.split('/').collect();
            assert_eq!(Filter::parse(filter).expect(filter).matches(&parts), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn invalid_filters_are_refused() {
        for filter in ["", "a/#/b", "a#", "a/b+", "1/2/3/4/5/6/7/8/9", "$aws/rules/x/y"] {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
    }
}
