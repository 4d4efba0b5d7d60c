//! Pages of the executions of a fleet command: batch by batch, and within a batch in the order of its things.

use std::fmt;

use crate::execution::row::Execution;
use crate::ids::BatchNumber;
use crate::status::Status;
use crate::timestamp::Timestamp;

/// Where a page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PagePosition {
    /// The batch.
    pub batch: BatchNumber,
    /// How many things of the batch the earlier pages have gone through.
    pub place: u16,
}

/// Which executions a page shows, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionPage {
    /// Only executions with this status; none: all.
    pub status: Option<Status>,
    /// Executions in the page at most.
    pub limit: usize,
    /// The beginning of the page.
    pub from: PagePosition,
}

/// A page that is being read: which batch comes next, and when the page is complete.
#[derive(Clone, Debug)]
pub struct PageScan {
    page: ExecutionPage,
    position: PagePosition,
    /// Batches of the command.
    batches: BatchNumber,
    /// The batch at which this page ends, even if it is not full.
    end: BatchNumber,
    /// Executions that were shown.
    shown: usize,
}

impl PagePosition {
    /// Parses the text that `Display` writes: the batch and the place, as in `3.50`.
    pub fn parse(text: &str) -> Option<Self> {
        let (batch, place) = text.split_once('.')?;
        Some(Self { batch: batch.parse().ok()?, place: place.parse().ok()? })
    }
}

impl fmt::Display for PagePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.batch, self.place)
    }
}

impl ExecutionPage {
    /// Batches that are read for one page at most: a page of a rare status would read the whole fleet otherwise.
    pub const MAX_BATCHES: BatchNumber = 20;

    /// Whether the page shows an execution with this status.
    pub fn shows(&self, status: Status) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
    }

    /// Begins to read the page of a command that has this many batches.
    pub fn scan(self, batches: BatchNumber) -> PageScan {
        let end = self.from.batch.saturating_add(Self::MAX_BATCHES).min(batches);
        PageScan { page: self, position: self.from, batches, end, shown: 0 }
    }
}

impl PageScan {
    /// The batch to read next, and how many of its things to skip; none once the page is complete.
    pub fn next_batch(&self) -> Option<PagePosition> {
        (!self.is_full() && self.position.batch < self.end).then_some(self.position)
    }

    /// Takes the rows of the batch that [`PageScan::next_batch`] named, one for each thing that is not skipped and in
    /// their order; none where a thing has no execution. Returns those that the page shows, as they are at `now`. A
    /// thing of several batches is shown with the batch that its execution belongs to.
    pub fn add_batch(&mut self, rows: impl IntoIterator<Item = Option<Execution>>, now: Timestamp) -> Vec<Execution> {
        let mut found = Vec::new();
        for row in rows {
            self.position.place = self.position.place.saturating_add(1);
            let Some(row) = row.filter(|row| row.batch == Some(self.position.batch)) else { continue };
            let row = row.observe(now);
            if self.page.shows(row.status) {
                found.push(row);
                self.shown += 1;
                if self.is_full() {
                    return found;
                }
            }
        }
        self.position = PagePosition { batch: self.position.batch.saturating_add(1), place: 0 };
        found
    }

    /// Where the next page begins; none if there is none.
    pub fn next_page(&self) -> Option<PagePosition> {
        (self.is_full() || self.position.batch < self.batches).then_some(self.position)
    }

    fn is_full(&self) -> bool {
        self.shown >= self.page.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::execution::fixtures::{CREATED_AT, after_report, execution};

    fn in_batch(batch: BatchNumber) -> Option<Execution> {
        Some(Execution { batch: Some(batch), ..execution(None) })
    }

    fn page(limit: usize) -> ExecutionPage {
        ExecutionPage { status: None, limit, from: PagePosition::default() }
    }

    #[test]
    fn position_is_parsed_back() {
        let position = PagePosition { batch: 3, place: 50 };
        assert_eq!(position.to_string(), "3.50");
        assert_eq!(PagePosition::parse("3.50"), Some(position));
        for text in ["", "3", "3.", ".5", "-1.0", "3.x", "3.70000", "99999999999.0", "1.2.3"] {
            assert_eq!(PagePosition::parse(text), None, "{text}");
        }
    }

    #[test]
    fn full_page_ends_within_a_batch_and_the_next_page_goes_on_there() {
        let rows = || (0..3).map(|_| in_batch(0));
        let mut scan = page(2).scan(1);
        assert_eq!(scan.next_batch(), Some(PagePosition::default()));
        assert_eq!(scan.add_batch(rows(), CREATED_AT).len(), 2);
        assert_eq!(scan.next_batch(), None);
        let next = PagePosition { batch: 0, place: 2 };
        assert_eq!(scan.next_page(), Some(next));
        let mut scan = ExecutionPage { from: next, ..page(2) }.scan(1);
        assert_eq!(scan.next_batch(), Some(next));
        assert_eq!(scan.add_batch(rows().skip(2), CREATED_AT).len(), 1);
        assert_eq!((scan.next_batch(), scan.next_page()), (None, None));
    }

    #[test]
    fn page_ends_after_a_limited_number_of_batches_even_if_it_is_empty() {
        let mut scan = page(100).scan(50);
        let mut read = 0;
        while let Some(position) = scan.next_batch() {
            assert_eq!(position, PagePosition { batch: read, place: 0 });
            assert!(scan.add_batch([None], CREATED_AT).is_empty());
            read += 1;
        }
        assert_eq!(read, ExecutionPage::MAX_BATCHES);
        assert_eq!(scan.next_page(), Some(PagePosition { batch: 20, place: 0 }));
        let beyond = ExecutionPage { from: PagePosition { batch: 50, place: 0 }, ..page(100) }.scan(50);
        assert_eq!((beyond.next_batch(), beyond.next_page()), (None, None));
    }

    #[test]
    fn page_shows_the_wanted_status_and_each_execution_with_its_own_batch() {
        let of_fleet = |row: Execution| Some(Execution { batch: Some(1), ..row });
        let failed = of_fleet(after_report(&execution(None), 5, "FAILED").unwrap());
        let rows = [in_batch(1), failed.clone(), None, failed.map(|row| Execution { batch: Some(0), ..row })];
        let from = PagePosition { batch: 1, place: 0 };
        let failures = ExecutionPage { status: Some(Status::Failed), from, ..page(100) };
        let mut scan = failures.scan(2);
        assert_eq!(scan.add_batch(rows.clone(), CREATED_AT.plus_seconds(10)).len(), 1);
        assert_eq!(scan.next_page(), None);
        let timeouts = ExecutionPage { status: Some(Status::TimedOut), ..failures };
        let found = timeouts.scan(2).add_batch(rows, CREATED_AT.plus_seconds(60));
        assert_eq!(found.len(), 1, "an execution past its ttl is shown as timed out");
    }
}
