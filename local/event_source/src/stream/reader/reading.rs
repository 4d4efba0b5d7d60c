//! From records to batches.

use std::mem;

use super::{ShardReader, State};
use crate::stream::batch::{Batch, Window};

/// Largest batch, in bytes of JSON: the event has to stay below Lambda's 6 MB.
const MAX_BYTES: usize = 6 * 1024 * 1024 - 64 * 1024;

impl ShardReader {
    /// The next batch: one that is not done, or a new one. The caller puts it back unless it is done; until then it
    /// stays in the checkpoint.
    pub(super) fn next_batch(&self, now_ms: i64) -> Option<Batch> {
        let mut state = self.state();
        if let Some(position) = state.rewind.take() {
            *state = State { position, ..State::default() };
        }
        if state.batches.is_empty() {
            self.gather(&mut state, now_ms);
            self.close_window(&mut state, now_ms);
        }
        self.shard.checkpoint(self.reader, state.checkpoint());
        state.batches.pop_front()
    }

    /// Reads records, and makes a batch when it is full or its window has ended.
    fn gather(&self, state: &mut State, now_ms: i64) {
        let parallel = self.source.parallel;
        state.position = self.shard.read(state.position, now_ms, |record| {
            if self.is_full(state) {
                return false;
            }
            let mine = (record.hash >> 32) % parallel == self.number;
            if !mine || !self.source.wants(&record.json) {
                return true;
            }
            match state.gathered.first() {
                None => state.opened_ms = now_ms,
                Some(first) => {
                    let other = self.window_of(first.created_ms) != self.window_of(record.created_ms);
                    if other || state.bytes + record.json.len() > MAX_BYTES {
                        state.full = true;
                        return false;
                    }
                }
            }
            state.bytes += record.json.len() + 1;
            state.gathered.push(record.clone());
            true
        });
        let closed = !state.gathered.is_empty() && self.closes_ms(state).is_some_and(|closes_ms| closes_ms <= now_ms);
        if closed || self.is_full(state) {
            (state.bytes, state.full) = (0, false);
            let records = mem::take(&mut state.gathered);
            let window = records.first().and_then(|first| self.window_of(first.created_ms));
            state.batches.push_back(Batch { window, ..Batch::of(records) });
        }
    }

    pub(super) fn is_full(&self, state: &State) -> bool {
        state.full || state.gathered.len() >= self.source.batch_size
    }

    /// Time at which the gathered records become a batch, even if it is not full.
    pub(super) fn closes_ms(&self, state: &State) -> Option<i64> {
        let Some(first) = state.gathered.first() else {
            let (start_ms, _) = state.window.as_ref()?;
            return self.window_of(*start_ms).map(|window| window.end_ms);
        };
        let full_ms = state.opened_ms.saturating_add(i64::from(self.source.window_s) * 1000);
        Some(self.window_of(first.created_ms).map_or(full_ms, |window| window.end_ms.min(full_ms)))
    }

    /// The tumbling window that a time falls into.
    fn window_of(&self, at_ms: i64) -> Option<Window> {
        let length_ms = i64::from(self.source.tumbling_s?) * 1000;
        let start_ms = at_ms - at_ms.rem_euclid(length_ms);
        Some(Window { start_ms, end_ms: start_ms + length_ms, last: false })
    }

    /// Adds a last batch without records for the open window, if the next record is in another window, or the window
    /// has ended.
    fn close_window(&self, state: &mut State, now_ms: i64) {
        let Some(window) = state.window.as_ref().and_then(|(start_ms, _)| self.window_of(*start_ms)) else { return };
        let over = match state.batches.front() {
            Some(batch) => batch.window != Some(window),
            None => state.gathered.is_empty() && window.end_ms <= now_ms,
        };
        if over {
            let last = Window { last: true, ..window };
            state.batches.push_front(Batch { window: Some(last), ..Batch::of(Vec::new()) });
        }
    }
}
