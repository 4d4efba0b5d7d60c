//! Which topics a caller may name.

use super::error::ApiError;

const LONGEST: usize = 256;
const MOST_SLASHES: usize = 7;

/// The levels of `$aws/rules/<rule>/`, which do not count.
const BASIC_INGEST: &str = "$aws/rules/";

/// Refuses what AWS refuses; `what` names the parameter in the error.
pub(super) fn check(what: &str, topic: &str) -> Result<(), ApiError> {
    let refuse = |why: &str| Err(ApiError::invalid(format!("{what} {topic:?} {why}")));
    if topic.is_empty() {
        return refuse("is empty");
    }
    if topic.contains(['+', '#', '\0']) {
        return refuse("must not contain +, # or U+0000");
    }
    // What counts is the topic that a rule sees; other reserved topics are exempt.
    let counted = match topic.strip_prefix(BASIC_INGEST) {
        Some(rest) => rest.split_once('/').map_or("", |(_, topic)| topic),
        None => topic,
    };
    if counted.len() > LONGEST {
        return refuse("is longer than 256 bytes");
    }
    if !counted.starts_with("$aws/") && counted.matches('/').count() > MOST_SLASHES {
        return refuse("has more than 7 slashes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_wildcards() {
        let check = |topic: &str| check("topic", topic).is_ok();
        let eight = "1/2/3/4/5/6/7/8";
        assert!(check(eight) && check("$aws/things/t/shadow/name/s/update/x/y/z") && check("/") && check("ü b"));
        assert!(check(&format!("$aws/rules/r/{eight}")) && check(&"x".repeat(256)));
        assert!(!check(&format!("{eight}/9")) && !check(&format!("$aws/rules/r/{eight}/9")));
        assert!(!check("") && !check("a/+") && !check("#") && !check("a\0") && !check(&"x".repeat(257)));
    }
}
