//! Reading the target of a fleet command: the plan after a page, a failed source or the end.

use crate::fleet::plan::row::{Cursor, Plan};
use crate::fleet::selection::Source;
use crate::ids::BatchNumber;
use crate::timestamp::Timestamp;

impl Plan {
    /// How many times a source is restarted when its page token has expired. Each restart may add as many batches as
    /// the whole source has.
    pub const MAX_SOURCE_RESTARTS: u32 = 3;

    /// The plan after a page: this many things more, this many batches in all, and the token of the next page of the
    /// source; none after its last page.
    #[must_use]
    pub fn page_read(&self, things: u64, batches: BatchNumber, next_token: Option<String>, now: Timestamp) -> Self {
        let cursor = match next_token {
            Some(token) => Cursor { token: Some(token), ..self.cursor.clone() },
            None => Cursor { source: self.cursor.source.saturating_add(1), ..Cursor::default() },
        };
        let things = self.things.saturating_add(things);
        self.next(|plan| Self { cursor, batches, things, ..plan }).watched(now)
    }

    /// The plan without the rest of the current source, and a note for the operator.
    #[must_use]
    pub fn skip_source(&self, note: String, now: Timestamp) -> Self {
        self.page_read(0, self.batches, None, now).with_note(note)
    }

    /// The plan after AWS refused the page token of a source: the source is read again from its first page. Things that
    /// were read before get another place in a later batch, and are counted as duplicates there. After too many
    /// restarts the rest of the source is skipped.
    #[must_use]
    pub fn restart_source(&self, source: Source<'_>, now: Timestamp) -> Self {
        let Cursor { source: number, restarts, token: _ } = self.cursor;
        if restarts >= Self::MAX_SOURCE_RESTARTS {
            return self.skip_source(format!("{source} could not be read to its end: its pages expire too fast"), now);
        }
        let cursor = Cursor { source: number, token: None, restarts: restarts.saturating_add(1) };
        self.next(|plan| Self { cursor, ..plan }).watched(now)
    }

    /// The plan with one more batch: another invocation has stored it, and crashed before it wrote the plan.
    #[must_use]
    pub fn with_found_batch(&self, things: u64, now: Timestamp) -> Self {
        let (things, batches) = (self.things.saturating_add(things), self.batches.saturating_add(1));
        self.next(|plan| Self { things, batches, ..plan }).watched(now)
    }

    /// The plan after the whole target has been read; a note says so if nothing is in it.
    #[must_use]
    pub fn finish_reading(&self) -> Self {
        let plan = self.next(|plan| Self { complete: true, ..plan });
        if plan.things == 0 { plan.with_note("the target selects no thing".to_owned()) } else { plan }
    }
}
