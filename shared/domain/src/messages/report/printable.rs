//! Text from devices, cut and cleaned so that it is safe in rows, logs and terminals.

/// The first `max_bytes` of a text, with blanks in place of control characters; `None` if nothing but blanks is left.
pub(super) fn printable_prefix(text: &str, max_bytes: usize) -> Option<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    let cut = &clean[..clean.floor_char_boundary(max_bytes)];
    (!cut.is_empty()).then(|| cut.to_owned())
}
