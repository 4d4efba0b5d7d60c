//! How large and how deep a shadow may be.

/// The limits of one service; the defaults are AWS's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the merged `desired` and `reported` together, metadata not counted.
    pub max_bytes: usize,
    /// Levels of nesting below `state`, where `desired` or `reported` is the first.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 8192, max_depth: 8 }
    }
}

/// The levels above `desired` and `reported`: the document and its `state`.
const ENVELOPE: usize = 2;

impl Limits {
    /// Whether a whole request is nested too deep. It asks the text, so that no parser recurses before the answer.
    pub(super) fn too_deep(&self, json: &str) -> bool {
        nesting(json) > self.max_depth.saturating_add(ENVELOPE)
    }
}

fn nesting(json: &str) -> usize {
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
        assert_eq!(nesting(r#"{"a[{\"[": ["}]", {"b": 1}], "c": {}}"#), 3);
        assert_eq!(nesting("7"), 0);
        assert_eq!(nesting("]]]{"), 1);
    }
}
