//! Python's bytes literals, `b'...'` and `b"..."`: devices that print the request they received echo it in one.

/// The content of the first bytes literal in a text; `None` if there is none, or it is not UTF-8.
pub(super) fn find_literal(text: &str) -> Option<String> {
    let start = [text.find("b'"), text.find("b\"")].into_iter().flatten().min()?;
    let mut rest = text.get(start + 1..)?.chars();
    let quote = rest.next()?;
    let mut bytes = Vec::with_capacity(text.len() - start);
    loop {
        match rest.next()? {
            c if c == quote => return String::from_utf8(bytes).ok(),
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

/// Whether a text ends with a whole request that its device echoes, as `.. from payload: b'light: on'` does.
pub(super) fn echoes_request(text: &str) -> bool {
    let Some((_, literal)) = text.split_once("payload: b") else { return false };
    let literal = literal.trim_end();
    literal.len() > 1 && ['\'', '"'].into_iter().any(|quote| literal.starts_with(quote) && literal.ends_with(quote))
}

#[cfg(test)]
mod tests {
    use super::*;

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
