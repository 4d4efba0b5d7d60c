//! What must be true of any history of executions, whoever recorded it: plain values in, violations with explanations out.
//!
//! | file | holds |
//! |---|---|
//! | [`record`] | what a history is made of |
//! | [`row`] | one image of an execution's row |
//! | [`lost`] | nothing that was accepted is lost: it is stored, it ends, nothing stays due |
//! | [`legal`] | a row only moves as the register allows |
//! | [`lanes`] | one after the other, and nothing behind one that failed where a lane stops |
//! | [`canceled`] | nothing goes out unclaimed, nothing starts that its device was told to leave alone |
//! | [`end`] | in the end, reading shows what is stored, and no shadow holds what is over |
//! | [`runs`] | nothing runs twice, nothing starts after its expiry |
//! | [`words`] | what a device said is in the row, and the row says nothing that no device said |

mod canceled;
mod end;
mod lanes;
mod legal;
mod lost;
mod record;
mod row;
mod runs;
#[cfg(test)]
mod tests;
mod words;

pub use record::{Delivery, History, Left, Queued, Read, Run, Said, Told, Violation, Word};
pub use row::Image;

/// Everything that is wrong with a history; nothing, if it is right.
pub fn violations(history: &History) -> Vec<Violation> {
    [lost::check, legal::check, runs::check, words::check, lanes::check, canceled::check, end::check]
        .iter()
        .flat_map(|check| check(history))
        .collect()
}
