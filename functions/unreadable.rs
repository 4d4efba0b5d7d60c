//! Rows that can't be read: someone has to look at them, and the good ones beside them are served meanwhile.

use aws::Error;
use domain::{ThingName, Timestamp};

use crate::{failure::chain, telemetry};

/// Says which they are, and counts them.
pub fn tell(at: Timestamp, thing: &ThingName, unreadable: &[Error]) {
    for error in unreadable {
        tracing::error!(error = chain(error), "a row was passed over");
    }
    if !unreadable.is_empty() {
        let count = u64::try_from(unreadable.len()).unwrap_or(u64::MAX);
        telemetry::count(at, &[("RowsUnreadable", count)], &[("thing", thing.as_str())]);
    }
}
