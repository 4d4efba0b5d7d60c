//! Regular expressions of SQL. AWS IoT takes those of Java; look-around and back-references are not supported here.

use regex_lite::{Regex, RegexBuilder};

/// The most memory that a compiled expression may take, in bytes.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// None if the expression is malformed, or not supported.
fn compile(expression: &str) -> Option<Regex> {
    RegexBuilder::new(expression).size_limit(MAX_COMPILED_BYTES).build().ok()
}

/// Whether the expression matches a part of the text.
pub(super) fn matches(text: &str, expression: &str) -> Option<bool> {
    Some(compile(expression)?.is_match(text))
}

/// The first part of the text that the expression matches.
pub(super) fn first_match(text: &str, expression: &str) -> Option<String> {
    Some(compile(expression)?.find(text)?.as_str().to_owned())
}

/// The text with each part that the expression matches replaced; `$1` stands for a group.
pub(super) fn replace(text: &str, expression: &str, replacement: &str) -> Option<String> {
    Some(compile(expression)?.replace_all(text, braced(replacement)).into_owned())
}

/// A group's number ends where its digits end: `$1x` is the first group and an x.
fn braced(replacement: &str) -> String {
    let mut out = String::with_capacity(replacement.len() + 8);
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (group, after) = after.split_at(digits);
        if group.is_empty() {
            out.push_str("$$")
        } else {
            out.push_str(&format!("${{{group}}}"))
        }
        rest = after;
    }
    out + rest
}
