//! Matching of topics against topic filters, by the rules of AWS IoT.

/// Whether `filter` matches `topic`. `#` does not match its parent level (`sensor/#` matches `sensor/` and below, not
/// `sensor`), and a wildcard at the first level does not match topics that begin with `$`.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    let mut levels = topic.split('/');
    for filter_level in filter.split('/') {
        match (filter_level, levels.next()) {
            (_, None) => return false,
            ("#", Some(_)) => return true,
            ("+", Some(_)) => {}
            (filter_level, Some(level)) => {
                if filter_level != level {
                    return false;
                }
            }
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn matches_follows_aws_wildcard_rules() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("a/+/c", "a/b/c", true),
            ("a/+", "a/", true),
            ("+/+", "/", true),
            ("a/+", "a", false),
            ("#", "a/b/c", true),
            ("sensor/#", "sensor", false),
            ("sensor/#", "sensor/", true),
            ("sensor/#", "sensor/a/b", true),
            ("#", "$aws/events", false),
            ("+/events", "$aws/events", false),
            ("$aws/#", "$aws/events", true),
            ("$aws/+", "$aws/events", true),
            ("$aws/things/+/shadow/#", "$aws/things/t/shadow/update/delta", true),
            ("A", "a", false),
            ("+", "", true),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} against {topic}");
        }
    }
}
