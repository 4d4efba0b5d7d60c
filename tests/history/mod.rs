//! What must be true of any history of executions, whoever recorded it: plain values in, violations with explanations out.
//!
//! | file | holds |
//! |---|---|
//! | [`record`] | what a history is made of |
//! | [`row`] | one image of an execution's row |
//! | [`lost`] | nothing that was accepted is lost: it is stored, it ends, nothing stays due |
//! | [`legal`] | a row only moves as the register allows |
//! | [`runs`] | nothing runs twice, nothing starts after its expiry |
//! | [`words`] | what a device said is in the row, and the row says nothing that no device said |

mod legal;
mod lost;
mod record;
mod row;
mod runs;
#[cfg(test)]
mod tests;
mod words;

pub use record::{Delivery, History, Run, Said, Violation, Word};
pub use row::Image;

/// Everything that is wrong with a history; nothing, if it is right.
pub fn violations(history: &History) -> Vec<Violation> {
    [lost::check, legal::check, runs::check, words::check].iter().flat_map(|check| check(history)).collect()
}
