//! The MQTT topics of commands: where a thing's requests arrive, and where its reports may go.

/// AWS IoT's limit for the length of a topic, in bytes.
const MAX_TOPIC_BYTES: usize = 256;
/// AWS IoT's limit for the slashes in a topic.
const MAX_SLASHES: usize = 7;

/// The topic of requests to one thing.
pub fn request(thing: &str) -> String {
    format!("cmd/{thing}/req")
}

/// The topic of cancel notices to one thing.
pub fn cancel(thing: &str) -> String {
    format!("cmd/{thing}/cancel")
}

/// The topic of broadcasts to all things of a group.
pub fn group(group: &str) -> String {
    format!("cmd/group/{group}/req")
}

/// The topic of reports, unless the request names another one.
pub fn response(thing: &str) -> String {
    format!("cmd/{thing}/resp")
}

/// Whether AWS IoT allows this name for a thing group.
pub fn is_group_name(name: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// Whether AWS IoT allows a publish to this topic: within its limits, and without wildcards.
pub fn is_literal(topic: &str) -> bool {
    (1..=MAX_TOPIC_BYTES).contains(&topic.len())
        && topic.matches('/').count() <= MAX_SLASHES
        && !topic.contains(['+', '#', '\0'])
}

/// Whether `topic` is below `cmd/<thing>/`, directly or by Basic Ingest, and is no topic of requests or cancel notices.
///
/// A request is input from outside. If its response topic were not checked, a sender of requests could make this device
/// publish anywhere with the device's own certificate.
pub fn is_own_response_topic(thing: &str, topic: &str) -> bool {
    let plain = match topic.strip_prefix("$aws/rules/") {
        Some(basic_ingest) => match basic_ingest.split_once('/') {
            Some((rule, rest)) if !rule.is_empty() => rest,
            _ => return false,
        },
        None => topic,
    };
    let below_thing = plain.strip_prefix("cmd/").and_then(|t| t.strip_prefix(thing)).and_then(|t| t.strip_prefix('/'));
    let Some(rest) = below_thing else { return false };
    // A report on the request topic would be read as a request, and reported on endlessly.
    let is_incoming = ["req", "cancel"].iter().any(|own| rest.split('/').next() == Some(own));
    !rest.is_empty()
        && !is_incoming
        && topic.len() <= MAX_TOPIC_BYTES
        && plain.matches('/').count() <= MAX_SLASHES
        && !topic.contains(['+', '#', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_names_and_literal_topics_follow_the_limits_of_aws_iot() {
        for name in ["pumps", "North:1_a-b", &"x".repeat(128)] {
            assert!(is_group_name(name), "{name}");
        }
        for invalid in ["", "a/b", "+", "a b", "ü", &"x".repeat(129)] {
            assert!(!is_group_name(invalid), "{invalid}");
        }
        assert!(is_literal("device_status/request") && is_literal("a/b/c/d/e/f/g/h"));
        for invalid in ["", "a/+", "#", "a\0", "a/b/c/d/e/f/g/h/i", &"x".repeat(257)] {
            assert!(!is_literal(invalid), "{invalid}");
        }
    }

    #[test]
    fn only_topics_below_the_thing_are_own_response_topics() {
        for own in ["cmd/pump-7/resp", "cmd/pump-7/response", "cmd/pump-7/resp/abc", "$aws/rules/track/cmd/pump-7/resp"]
        {
            assert!(is_own_response_topic("pump-7", own), "{own}");
        }
        for foreign in [
            "",
            "cmd/pump-7",
            "cmd/pump-7/",
            "cmd/pump-7/req",
            "cmd/pump-7/cancel",
            "cmd/pump-7/req/x",
            "cmd/pump-70/resp",
            "cmd/pump-8/resp",
            "cmd/pump-7/+",
            "cmd/pump-7/#",
            "$aws/rules//cmd/pump-7/resp",
            "$aws/rules/track/cmd/pump-8/resp",
            "$aws/things/pump-7/shadow/update",
            "x/cmd/pump-7/resp",
            "cmd/pump-7/1/2/3/4/5/6/7",
        ] {
            assert!(!is_own_response_topic("pump-7", foreign), "{foreign}");
        }
    }
}
