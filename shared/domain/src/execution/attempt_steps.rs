//! What had become of an attempt before it failed and was retried. The row's attributes then belong to the next attempt,
//! so the entry of the failure keeps these times, in the write that there is anyway.

use crate::timestamp::Timestamp;

/// The steps of a failed attempt that have no history entry of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AttemptSteps {
    /// Whether the function that created the row sent the request, which it does not record. Otherwise the sender is
    /// not known.
    pub sent_by_creator: bool,
    /// When the request was sent, or may have been.
    pub sent_at: Option<Timestamp>,
    /// When the device acknowledged the request, or sent its first report.
    pub delivered_at: Option<Timestamp>,
    /// When the device reported that it had started.
    pub started_at: Option<Timestamp>,
}

impl AttemptSteps {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The steps as they are stored: a letter and the milliseconds before the failure `failed_at` for each.
    pub(crate) fn to_stored(self, failed_at: Timestamp) -> String {
        let sent = if self.sent_by_creator { 'C' } else { 'S' };
        let steps = [(sent, self.sent_at), ('D', self.delivered_at), ('R', self.started_at)];
        let before = |at: Timestamp| failed_at.as_millis().saturating_sub(at.as_millis());
        let stored = steps.into_iter().filter_map(|(letter, at)| Some(format!("{letter}{}", before(at?))));
        stored.collect()
    }

    /// The steps as they were stored; none for any other text.
    pub(crate) fn from_stored(text: &str, failed_at: Timestamp) -> Option<Self> {
        let mut steps = Self::default();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let end = rest.get(1..)?.find(|c: char| c.is_ascii_uppercase()).map_or(rest.len(), |end| end + 1);
            let millis: i64 = rest.get(1..end)?.parse().ok()?;
            let at = Some(Timestamp::from_millis(failed_at.as_millis().saturating_sub(millis)));
            match letter {
                'C' => (steps.sent_by_creator, steps.sent_at) = (true, at),
                'S' => steps.sent_at = at,
                'D' => steps.delivered_at = at,
                'R' => steps.started_at = at,
                _ => return None,
            }
            rest = rest.get(end..)?;
        }
        Some(steps)
    }
}
