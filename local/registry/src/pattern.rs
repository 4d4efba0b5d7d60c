//! Patterns of policies: text with the wildcards `*` and `?` and with variables.

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Literal text.
    Text(String),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Any,
    /// `${name}`: the value of a variable.
    Variable(String),
}

/// Element of a pattern after its variables are replaced by their values.
#[derive(Clone, Copy)]
enum Symbol {
    Exact(char),
    One,
    Any,
}

impl Pattern {
    /// Parses a pattern; without `variables`, `${` is literal text.
    pub(super) fn parse(text: &str, variables: bool) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some((name, after)) =
                rest.strip_prefix("${").filter(|_| variables).and_then(|rest| rest.split_once('}'))
            {
                parts.push(match name {
                    // Escapes of the policy language: `${*}`, `${?}` and `${$}`.
                    "*" | "?" | "$" => Part::Text(name.to_owned()),
                    name => Part::Variable(name.to_owned()),
                });
                rest = after;
                continue;
            }
            match (first, parts.last_mut()) {
                ('*', _) => parts.push(Part::Any),
                ('?', _) => parts.push(Part::One),
                (other, Some(Part::Text(text))) => text.push(other),
                (other, _) => parts.push(Part::Text(other.to_string())),
            }
            rest = &rest[first.len_utf8()..];
        }
        Self(parts)
    }

    /// Parses a pattern in which `*` and `?` are literal characters.
    pub(super) fn literal(text: &str, variables: bool) -> Self {
        let parts = Self::parse(text, variables).0.into_iter().map(|part| match part {
            Part::Any => Part::Text("*".to_owned()),
            Part::One => Part::Text("?".to_owned()),
            other => other,
        });
        Self(parts.collect())
    }

    /// Whether the pattern matches the whole of `text`. A pattern with a variable that has no value matches nothing.
    pub(super) fn matches<'v>(&self, text: &str, value: impl Fn(&str) -> Option<&'v str>) -> bool {
        let mut symbols = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => symbols.extend(text.chars().map(Symbol::Exact)),
                Part::One => symbols.push(Symbol::One),
                Part::Any => symbols.push(Symbol::Any),
                // Values are literal: a client id of `*` must not match every client id.
                Part::Variable(name) => match value(name) {
                    Some(value) => symbols.extend(value.chars().map(Symbol::Exact)),
                    None => return false,
                },
            }
        }
        matches(&symbols, text)
    }
}

/// Matches greedily and backtracks to the last `*` only: time is at most the product of the lengths.
fn matches(symbols: &[Symbol], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut symbol, mut at) = (0, 0);
    let mut retry = None;
    while at < text.len() {
        match symbols.get(symbol) {
            Some(Symbol::Any) => {
                symbol += 1;
                retry = Some((symbol, at));
                continue;
            }
            Some(Symbol::One) => {}
            Some(Symbol::Exact(c)) if text.get(at) == Some(c) => {}
            _ => match retry {
                Some((after, start)) => {
                    (symbol, at) = (after, start + 1);
                    retry = Some((after, start + 1));
                    continue;
                }
                None => return false,
            },
        }
        symbol += 1;
        at += 1;
    }
    symbols.iter().skip(symbol).all(|symbol| matches!(symbol, Symbol::Any))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "iot:ClientId" => Some("dev-*"),
            "empty" => Some(""),
            _ => None,
        }
    }

    #[test]
    fn patterns_match_the_expected_texts() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("**", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "abc", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("a/+/#", "a/+/#", true),
            ("a/+/#", "a/b/c", false),
            ("cmd/${iot:ClientId}/req", "cmd/dev-*/req", true),
            ("cmd/${iot:ClientId}/req", "cmd/dev-1/req", false),
            ("cmd/${iot:ClientId}/*", "cmd/dev-*/a/b", true),
            ("${unknown}", "${unknown}", false),
            ("a*${unknown}", "a", false),
            ("a${empty}b", "ab", true),
            ("${*}${?}${$}{", "*?${", true),
            ("${*}", "a", false),
            ("${open", "${open", true),
        ] {
            assert_eq!(Pattern::parse(pattern, true).matches(text, value), expected, "{pattern} {text}");
        }
        assert!(Pattern::parse("${iot:ClientId}", false).matches("${iot:ClientId}", value));
    }

    /// Reference implementation by definition; takes exponential time.
    fn reference_matches(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|skip| reference_matches(rest, &text[skip..])),
            (Some(('?', rest)), Some((_, after))) => reference_matches(rest, after),
            (Some((c, rest)), Some((d, after))) => c == d && reference_matches(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_reference_implementation(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(Pattern::parse(&pattern, true).matches(&text, value), reference_matches(&p, &t));
        }

        #[test]
        fn no_pattern_panics(pattern in ".{0,40}", text in ".{0,40}") {
            Pattern::parse(&pattern, true).matches(&text, value);
        }
    }
}
