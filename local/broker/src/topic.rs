//! Checks of topics and topic filters: allowed characters, length, reserved topics.

use super::codec::reason;
use super::limits;

const BASIC_INGEST: &str = "$aws/rules/";

/// Topics below `$aws/rules/` go to the rules engine only.
pub(super) fn is_basic_ingest(topic: &str) -> bool {
    topic.starts_with(BASIC_INGEST)
}

/// Checks the rules that hold for every publisher, AWS services included.
pub(super) fn check_topic(topic: &str) -> Result<(), &'static str> {
    if topic.is_empty() {
        return Err("it is empty");
    }
    if topic.contains(['#', '+']) {
        return Err("it contains a wildcard");
    }
    if topic.contains('\0') {
        return Err("it contains U+0000");
    }
    check_length(topic)
}

/// Checks that a client may publish to a topic: topics without `$`, and the request topics of AWS services.
///
/// # Errors
/// The violated rule, worded to follow the topic: `it contains a wildcard`.
pub fn check_client_topic(topic: &str) -> Result<(), &'static str> {
    check_topic(topic)?;
    if !topic.starts_with('$') || is_request(topic) { Ok(()) } else { Err("it is reserved") }
}

/// Whether a topic is a request of a service of AWS. Source:
/// <https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html>.
fn is_request(topic: &str) -> bool {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels.as_slice() {
        ["$aws", "rules", rule, _, ..] => !rule.is_empty(),
        ["$aws", "things", _, "shadow", "get" | "update" | "delete"]
        | ["$aws", "things", _, "shadow", "name", _, "get" | "update" | "delete"]
        | ["$aws", "commands", "things" | "clients", _, "executions", _, "response"]
        | ["$aws", "commands", "things" | "clients", _, "executions", _, "response", "json" | "cbor"] => true,
        ["$aws", "things", _, "jobs", rest @ ..] => is_jobs_request(rest),
        _ => is_request_of_absent_service(topic),
    }
}

/// Whether a client may publish to a topic of Jobs: every one but those that the service itself publishes to. A topic
/// without an operation is rejected with `InvalidTopic`, and does not end the connection.
fn is_jobs_request(below_jobs: &[&str]) -> bool {
    match below_jobs {
        [] | ["notify" | "notify-next"] => false,
        [.., last] => !matches!(*last, "accepted" | "rejected"),
    }
}

/// Whether a topic is a request of a service that the stack does not have: Device Defender, fleet provisioning, file
/// delivery, device location. AWS accepts a message there, so it does not end the connection; here nothing answers it.
pub(super) fn is_request_of_absent_service(topic: &str) -> bool {
    let levels: Vec<&str> = topic.split('/').collect();
    matches!(
        levels.as_slice(),
        ["$aws", "things", _, "defender", "metrics", "json" | "cbor"]
            | ["$aws", "certificates", "create" | "create-from-csr", "json" | "cbor"]
            | ["$aws", "provisioning-templates", _, "provision", "json" | "cbor"]
            | ["$aws", "things", _, "streams", _, "get" | "describe", "json" | "cbor"]
            | ["$aws", "device_location", _, "get_position_estimate"]
    )
}

fn check_length(topic: &str) -> Result<(), &'static str> {
    // The limits exclude the prefix and rule name of Basic Ingest, and reserved topics.
    let counted = match topic.strip_prefix(BASIC_INGEST) {
        Some(rest) => rest.split_once('/').map_or("", |(_rule, topic)| topic),
        None if topic.starts_with("$aws/") => "",
        None => topic,
    };
    if counted.len() > limits::MAX_TOPIC_BYTES || topic.len() > usize::from(u16::MAX) {
        return Err("it is longer than 256 bytes");
    }
    if counted.bytes().filter(|byte| *byte == b'/').count() > limits::MAX_TOPIC_SLASHES {
        return Err("it has more than 7 slashes");
    }
    Ok(())
}

/// A parsed topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter<'a> {
    /// The group of a shared subscription.
    pub(super) group: Option<&'a str>,
    /// The filter without `$share/<group>/`.
    pub(super) pattern: &'a str,
}

impl<'a> Filter<'a> {
    pub(super) fn parse(filter: &'a str) -> Result<Self, &'static str> {
        let (group, pattern) = match filter.strip_prefix("$share/") {
            None => (None, filter),
            Some(shared) => match shared.split_once('/') {
                Some((group, pattern)) if !group.is_empty() && !group.contains(['#', '+']) => (Some(group), pattern),
                _ => return Err("a shared subscription is $share/<group>/<filter>"),
            },
        };
        if pattern.is_empty() {
            return Err("it is empty");
        }
        let mut levels = pattern.split('/').peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err("# must be the whole last level");
            }
            if level.contains('+') && level != "+" {
                return Err("+ must be a whole level");
            }
        }
        check_length(pattern)?;
        Ok(Self { group, pattern })
    }

    /// The filter if it receives retained messages: without wildcards, and not shared.
    pub(super) fn exact_topic(self) -> Option<&'a str> {
        (self.group.is_none() && !self.pattern.contains(['#', '+'])).then_some(self.pattern)
    }

    /// Whether the filter may be subscribed to: Basic Ingest may not.
    pub(super) fn is_subscribable(self) -> bool {
        !is_basic_ingest(self.pattern)
    }
}

/// The MQTT 5 reason code for a topic that a client may not publish to.
pub(super) fn refusal_reason(topic: &str) -> u8 {
    match check_topic(topic) {
        Ok(()) => reason::NOT_AUTHORIZED,
        Err(_) => reason::TOPIC_NAME_INVALID,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_publish_to_their_own_topics_and_to_requests_only() {
        for allowed in [
            "a",
            "/",
            "a/b/c/d/e/f/g/h",
            "$aws/things/t/shadow/update",
            "$aws/things/t/shadow/name/s/get",
            "$aws/things/t/jobs/$next/get",
            "$aws/things/t/jobs/start-next",
            "$aws/things/t/jobs/no-operation",
            "$aws/commands/things/t/executions/e/response/json",
            "$aws/rules/r/a/b/c/d/e/f/g/h",
            "$aws/things/t/defender/metrics/json",
            "$aws/certificates/create/cbor",
            "$aws/certificates/create-from-csr/json",
            "$aws/provisioning-templates/t/provision/json",
            "$aws/things/t/streams/s/get/cbor",
            "$aws/things/t/streams/s/describe/json",
            "$aws/device_location/t/get_position_estimate",
        ] {
            assert_eq!(check_client_topic(allowed), Ok(()), "{allowed}");
        }
        for refused in [
            "",
            "a/#",
            "a/+/b",
            "a+",
            "a/b/c/d/e/f/g/h/i",
            "$aws/things/t/shadow/update/accepted",
            "$aws/things/t/shadow/name/s/update/delta",
            "$aws/things/t/jobs/notify-next",
            "$aws/things/t/jobs/j/update/accepted",
            "$aws/things/t/jobs",
            "$aws/events/presence/connected/c",
            "$aws/commands/things/t/executions/e/request/json",
            "$aws/rules/r",
            "$aws/things/t/defender/metrics",
            "$aws/certificates/create/json/accepted",
            "$aws/things/t/streams/s/data/json",
            "$aws/device_location/t/get_position_estimate/accepted",
            "$aws/rules/r/a/b/c/d/e/f/g/h/i",
            "$SYS/broker",
        ] {
            assert!(check_client_topic(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn topic_has_at_most_256_bytes_without_the_rule_name() {
        assert_eq!(check_topic(&"é".repeat(128)), Ok(()));
        assert!(check_topic(&"x".repeat(257)).is_err());
        assert_eq!(check_client_topic(&format!("$aws/rules/{}/{}", "r".repeat(128), "x".repeat(256))), Ok(()));
        assert!(check_client_topic(&format!("$aws/rules/r/{}", "x".repeat(257))).is_err());
    }

    #[test]
    fn filters_are_parsed_or_refused() {
        assert_eq!(Filter::parse("a/+/#"), Ok(Filter { group: None, pattern: "a/+/#" }));
        assert_eq!(Filter::parse("$share/g/a/#"), Ok(Filter { group: Some("g"), pattern: "a/#" }));
        assert_eq!(
            Filter::parse("$aws/commands/things/t/executions/+/response/accepted/json").map(|f| f.group),
            Ok(None)
        );
        for refused in
            ["", "a/#/b", "a#", "+a", "a/b+", "$share/g", "$share//a", "$share/+/a", "$share/g/", "a/b/c/d/e/f/g/h/#"]
        {
            assert!(Filter::parse(refused).is_err(), "{refused}");
        }
    }
}
