//! Size and depth limits of shadow documents.

/// Limits of shadow documents. The defaults are the quotas of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum bytes of the merged `desired` and `reported` together, without metadata.
    pub max_bytes: usize,
    /// Maximum levels of nesting below `state`; `desired` and `reported` are the first level.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 8192, max_depth: 8 }
    }
}

/// The levels above `desired` and `reported`: the document and its `state`.
const ENVELOPE_LEVELS: usize = 2;

impl Limits {
    /// Whether a request is nested too deep. Counts brackets in the text, so that no parser recurses into deep input.
    pub(super) fn is_too_deep(&self, json: &str) -> bool {
        nesting_depth(json) > self.max_depth.saturating_add(ENVELOPE_LEVELS)
    }
}

fn nesting_depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_inside_strings_do_not_nest() {
        assert_eq!(nesting_depth(r#"{"a[{\"[": ["}]", {"b": 1}], "c": {}}"#), 3);
        assert_eq!(nesting_depth("7"), 0);
        assert_eq!(nesting_depth("]]]{"), 1);
    }
}
