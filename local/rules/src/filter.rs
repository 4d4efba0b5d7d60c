//! Topic filters after FROM, split once. AWS's rule, not MQTT's: `a/#` does not match `a`.

/// A topic filter.
#[derive(Clone, Debug)]
pub struct Filter(Vec<Level>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Named(String),
    /// `+`
    One,
    /// `#`
    Rest,
}

impl Filter {
    /// Reads a filter; the error says what is wrong with it.
    pub fn parse(filter: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("topic filter '{filter}': {why}"));
        if filter.is_empty() || filter.len() > 256 {
            return wrong("must be 1 to 256 bytes long");
        }
        if filter.matches('/').count() > 7 {
            return wrong("has more than 7 slashes");
        }
        if filter.starts_with("$aws/rules/") {
            return wrong("Basic Ingest topics cannot be subscribed to");
        }
        let levels: Vec<Level> = filter
            .split('/')
            .map(|level| match level {
                "+" => Level::One,
                "#" => Level::Rest,
                named => Level::Named(named.to_owned()),
            })
            .collect();
        if levels.iter().rev().skip(1).any(|level| *level == Level::Rest) {
            return wrong("# must be the last level");
        }
        match levels.iter().any(|level| matches!(level, Level::Named(name) if name.contains(['+', '#']))) {
            true => wrong("+ and # must stand alone between slashes"),
            false => Ok(Self(levels)),
        }
    }

    /// Whether a topic, split at its slashes, matches.
    pub fn matches(&self, topic: &[&str]) -> bool {
        let hidden = topic.first().is_some_and(|first| first.starts_with('$'));
        if hidden && !matches!(self.0.first(), Some(Level::Named(_))) {
            return false;
        }
        let open_ended = self.0.last() == Some(&Level::Rest);
        let long_enough = if open_ended { topic.len() >= self.0.len() } else { topic.len() == self.0.len() };
        long_enough
            && self.0.iter().zip(topic).all(|(level, part)| match level {
                Level::Named(name) => name == part,
                Level::One | Level::Rest => true,
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Split beforehand or not, rules and subscriptions see the same messages.
        #[test]
        fn the_broker_agrees(filter in "(\\$?[ab+]|)(/([ab+]|)){0,3}(/#)?|#", topic in "\\$?[ab]?(/[ab]?){0,4}") {
            if let Ok(parsed) = Filter::parse(&filter) {
                let levels: Vec<_> = topic.split('/').collect();
                prop_assert_eq!(parsed.matches(&levels), local_broker::matches(&filter, &topic));
            }
        }
    }

    #[test]
    fn matching_is_as_aws_has_it() {
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
    fn what_is_no_filter_is_refused() {
        for filter in ["", "a/#/b", "a#", "a/b+", "1/2/3/4/5/6/7/8/9", "$aws/rules/x/y"] {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
    }
}
