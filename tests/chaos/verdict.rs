//! What came of a schedule.

use crate::{
    history::{self, Violation},
    world::World,
};

pub struct Verdict {
    pub violations: Vec<Violation>,
    pub trace: Vec<String>,
}

impl World<'_> {
    /// Everything has come to its end, or should have.
    pub fn finish(mut self) -> Verdict {
        self.history.is_over = true;
        let mut violations = std::mem::take(&mut self.mistakes);
        violations.extend(history::violations(&self.history));
        Verdict { violations, trace: self.take_trace() }
    }
}
