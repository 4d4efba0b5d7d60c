//! Durations, and their quantiles.

use std::time::Duration;

/// p50, p90, p99 and the longest, in milliseconds; `None` for no durations.
pub(super) fn quantiles(mut durations: Vec<Duration>) -> Option<[String; 4]> {
    durations.sort_unstable();
    let last = durations.len().checked_sub(1)?;
    // The nearest rank: each quantile is a measured value.
    let at = |percent: usize| durations.get(((durations.len() * percent).div_ceil(100)).saturating_sub(1).min(last));
    let show = |duration: Option<&Duration>| duration.map(|d| milliseconds(*d)).unwrap_or_default();
    Some([show(at(50)), show(at(90)), show(at(99)), show(durations.last())])
}

fn milliseconds(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_values() {
        let ms = |n: u64| Duration::from_millis(n);
        assert_eq!(quantiles(Vec::new()), None);
        assert_eq!(quantiles(vec![ms(7)]).unwrap(), ["7.0"; 4]);
        let hundred = (1..=100).rev().map(ms).collect();
        assert_eq!(quantiles(hundred).unwrap(), ["50", "90", "99", "100"]);
    }
}
