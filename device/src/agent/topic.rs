//! The topics of one thing, and which of them an answer may go to.

/// Where requests arrive.
pub fn request(thing: &str) -> String {
    format!("cmd/{thing}/req")
}

/// Where it is told what is no longer wanted.
pub fn cancel(thing: &str) -> String {
    format!("cmd/{thing}/cancel")
}

/// Where requests to all things of a group arrive.
pub fn group(group: &str) -> String {
    format!("cmd/group/{group}/req")
}

/// Where answers go unless the request names another topic.
pub fn response(thing: &str) -> String {
    format!("cmd/{thing}/resp")
}

/// Whether this is the name of a thing group, as AWS IoT has them.
pub fn is_group(group: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-');
    (1..=128).contains(&group.len()) && group.bytes().all(legal)
}

/// Whether this is a topic, and no filter for many.
pub fn is_literal(topic: &str) -> bool {
    (1..=256).contains(&topic.len()) && topic.matches('/').count() <= 7 && !topic.contains(['+', '#', '\0'])
}

/// Whether an answer may go to `topic`. A request is data from outside: were its word taken, whoever can send one could
/// have this device publish, with its own certificate, wherever they like.
pub fn may_answer_on(thing: &str, topic: &str) -> bool {
    let plain = match topic.strip_prefix("$aws/rules/") {
        Some(basic_ingest) => match basic_ingest.split_once('/') {
            Some((rule, rest)) if !rule.is_empty() => rest,
            _ => return false,
        },
        None => topic,
    };
    let Some(kind) = plain.strip_prefix("cmd/").and_then(|t| t.strip_prefix(thing)).and_then(|t| t.strip_prefix('/'))
    else {
        return false;
    };
    // A request that is answered on a request topic would be answered for ever.
    let incoming = ["req", "cancel"].iter().any(|own| kind.split('/').next() == Some(own));
    !kind.is_empty()
        && !incoming
        && topic.len() <= 256
        && plain.matches('/').count() <= 7
        && !topic.contains(['+', '#', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_topics_without_wildcards_are_taken() {
        for group in ["pumps", "North:1_a-b", &"x".repeat(128)] {
            assert!(is_group(group), "{group}");
        }
        for odd in ["", "a/b", "+", "a b", "ü", &"x".repeat(129)] {
            assert!(!is_group(odd), "{odd}");
        }
        assert!(is_literal("device_status/request") && is_literal("a/b/c/d/e/f/g/h"));
        for odd in ["", "a/+", "#", "a\0", "a/b/c/d/e/f/g/h/i", &"x".repeat(257)] {
            assert!(!is_literal(odd), "{odd}");
        }
    }

    #[test]
    fn answers_stay_on_the_things_own_topics() {
        for own in ["cmd/pump-7/resp", "cmd/pump-7/response", "cmd/pump-7/resp/abc", "$aws/rules/track/cmd/pump-7/resp"]
        {
            assert!(may_answer_on("pump-7", own), "{own}");
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
            assert!(!may_answer_on("pump-7", foreign), "{foreign}");
        }
    }
}
