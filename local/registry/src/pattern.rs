//! Patterns of policies: text with `*`, `?` and variables.

/// A pattern, parsed once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// This text and no other.
    Text(String),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Any,
    /// `${name}`: the value of a variable.
    Variable(String),
}

/// What a pattern is once its variables have values.
#[derive(Clone, Copy)]
enum Glyph {
    Is(char),
    One,
    Any,
}

impl Pattern {
    /// Without `variables`, `${` is text as any other.
    pub(super) fn parse(text: &str, variables: bool) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some((name, after)) =
                rest.strip_prefix("${").filter(|_| variables).and_then(|rest| rest.split_once('}'))
            {
                parts.push(match name {
                    // How a policy writes characters that would mean something else.
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

    /// A pattern whose `*` and `?` stand for themselves.
    pub(super) fn literal(text: &str, variables: bool) -> Self {
        let parts = Self::parse(text, variables).0.into_iter().map(|part| match part {
            Part::Any => Part::Text("*".to_owned()),
            Part::One => Part::Text("?".to_owned()),
            other => other,
        });
        Self(parts.collect())
    }

    /// Whether the whole of `text` is as the pattern says. A pattern with a variable that has no value matches nothing.
    pub(super) fn matches<'v>(&self, text: &str, value: impl Fn(&str) -> Option<&'v str>) -> bool {
        let mut glyphs = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => glyphs.extend(text.chars().map(Glyph::Is)),
                Part::One => glyphs.push(Glyph::One),
                Part::Any => glyphs.push(Glyph::Any),
                // Characters of a value stand for themselves: a client id of `*` is not everybody.
                Part::Variable(name) => match value(name) {
                    Some(value) => glyphs.extend(value.chars().map(Glyph::Is)),
                    None => return false,
                },
            }
        }
        matches(&glyphs, text)
    }
}

/// Goes on greedily, and back only to the last `*`: time is at most the product of the lengths.
fn matches(glyphs: &[Glyph], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut glyph, mut at) = (0, 0);
    let mut retry = None;
    while at < text.len() {
        match glyphs.get(glyph) {
            Some(Glyph::Any) => {
                glyph += 1;
                retry = Some((glyph, at));
                continue;
            }
            Some(Glyph::One) => {}
            Some(Glyph::Is(c)) if text.get(at) == Some(c) => {}
            _ => match retry {
                Some((after, start)) => {
                    (glyph, at) = (after, start + 1);
                    retry = Some((after, start + 1));
                    continue;
                }
                None => return false,
            },
        }
        glyph += 1;
        at += 1;
    }
    glyphs.iter().skip(glyph).all(|glyph| matches!(glyph, Glyph::Any))
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
    fn the_table() {
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

    /// The definition, with no thought for time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            (Some(('?', rest)), Some((_, after))) => naive(rest, after),
            (Some((c, rest)), Some((d, after))) => c == d && naive(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_as_defined(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(Pattern::parse(&pattern, true).matches(&text, value), naive(&p, &t));
        }

        #[test]
        fn nothing_that_is_written_panics(pattern in ".{0,40}", text in ".{0,40}") {
            Pattern::parse(&pattern, true).matches(&text, value);
        }
    }
}
