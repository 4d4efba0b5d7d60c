//! Instants as text: RFC 3339.

use domain::Timestamp;

/// Parses an instant in RFC 3339, to the millisecond.
///
/// # Errors
/// If the text is not an instant with an offset from UTC.
pub fn parse(text: &str) -> Result<Timestamp, jiff::Error> {
    Ok(Timestamp::from_millis(text.parse::<jiff::Timestamp>()?.as_millisecond()))
}

/// Shows an instant in UTC, always to the millisecond, so that texts sort as instants do. An instant outside of the
/// years -9999 to 9999 is shown as 1970-01-01.
pub fn show(at: Timestamp) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_instant_parses_to_itself() {
        let at = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(show(at), "2023-11-14T22:13:20.123Z");
        assert_eq!(parse(&show(at)).unwrap(), at);
        assert_eq!(parse("2023-11-14T22:13:20Z").unwrap(), Timestamp::from_seconds(1_700_000_000));
        assert!(parse("yesterday").is_err());
        assert_eq!(show(Timestamp::from_seconds(1_700_000_000)), "2023-11-14T22:13:20.000Z");
        assert_eq!(show(Timestamp::from_millis(i64::MAX)), "1970-01-01T00:00:00.000Z");
    }
}
