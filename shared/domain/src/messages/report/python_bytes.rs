//! Python's bytes literals, `b'...'` and `b"..."`: devices that print the request they received echo it in one.

/// The content of the first bytes literal in a text; `None` if there is none, or it is not UTF-8.
pub(super) fn find_literal(text: &str) -> Option<String> {
    let start = [text.find("b'"), text.find("b\"")].into_iter().flatten().min()?;
    let (bytes, _) = read_literal(text.get(start + 1..)?)?;
    String::from_utf8(bytes).ok()
}

/// The bytes of a literal, from its quote on, and the text behind it; `None` if it does not end, or Python prints no such
/// literal.
fn read_literal(text: &str) -> Option<(Vec<u8>, &str)> {
    let mut rest = text.chars();
    let quote = rest.next()?;
    let mut bytes = Vec::with_capacity(text.len());
    loop {
        match rest.next()? {
            c if c == quote => return Some((bytes, rest.as_str())),
            '\\' => match rest.next()? {
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                't' => bytes.push(b'\t'),
                'x' => {
                    let hex = rest.next()?.to_digit(16)? * 16 + rest.next()?.to_digit(16)?;
                    bytes.push(u8::try_from(hex).ok()?);
                }
                c @ ('\\' | '\'' | '"') => bytes.push(c as u8),
                _ => return None,
            },
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// The whole request that a text ends with, because its device echoes it, as `.. from payload: b'light: on'` does. What
/// Python would print otherwise counts as it stands between its quotes.
pub(super) fn echoed_request(text: &str) -> Option<Vec<u8>> {
    let (_, literal) = text.split_once("payload: b")?;
    let literal = literal.trim_end();
    let quote = literal.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
    let between = literal.strip_prefix(quote)?.strip_suffix(quote)?;
    match read_literal(literal) {
        Some((bytes, "")) => Some(bytes),
        _ => Some(between.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echoed_request_is_read_to_the_end_of_the_text() {
        for (text, bytes) in [
            ("from payload: b'light: on'", Some(&b"light: on"[..])),
            ("from payload: b''\n", Some(b"")),
            (r#"from payload: b"it's""#, Some(b"it's")),
            (r"from payload: b'\xff\x00\\'", Some(b"\xff\x00\\")),
            // Not as Python prints bytes.
            ("from payload: b'it's on'", Some(b"it's on")),
            (r"from payload: b'C:\q'", Some(br"C:\q")),
            (r"from payload: b'a' payload: b'c'", Some(b"a' payload: b'c")),
            ("from payload: b'", None),
            ("from payload: b'a' and more", None),
            ("from payload: b'light: o", None),
            ("from payload: x", None),
            ("from b'light: on'", None),
        ] {
            assert_eq!(echoed_request(text).as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn a_printed_literal_is_read_back() {
        for (printed, text) in [
            ("b'light: on'", Some("light: on")),
            ("b\"it's\"", Some("it's")),
            (r#"b'a"b\'c\\d'"#, Some(r#"a"b'c\d"#)),
            (r"b'caf\xc3\xa9\n'", Some("café\n")),
            ("b''", Some("")),
            (r"b'\x00\xff'", None),
            ("b'no end", None),
            (r"b'\q'", None),
            (r"b'\x4'", None),
            ("nothing", None),
            ("", None),
        ] {
            assert_eq!(find_literal(printed).as_deref(), text, "{printed}");
        }
    }
}
