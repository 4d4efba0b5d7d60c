//! Instants as people write them: RFC 3339.

use domain::Timestamp;

/// The instant that this text says.
pub fn parse(text: &str) -> Result<Timestamp, jiff::Error> {
    Ok(Timestamp::from_millis(text.parse::<jiff::Timestamp>()?.as_millisecond()))
}

/// The instant, in UTC; the epoch for one that no calendar has.
pub fn show(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_it_is_written() {
        let at = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(show(at), "2023-11-14T22:13:20.123Z");
        assert_eq!(parse(&show(at)).unwrap(), at);
        assert_eq!(parse("2023-11-14T22:13:20Z").unwrap(), Timestamp::from_seconds(1_700_000_000));
        assert!(parse("yesterday").is_err());
        assert_eq!(show(Timestamp::from_millis(i64::MAX)), "1970-01-01T00:00:00Z");
    }
}
