//! Properties of every history of executions: plain entries in, violations with an explanation out.
//!
//! | file | holds |
//! |---|---|
//! | [`entries`] | the entries of a history: rows, requests, runs, reports, cancel notices |
//! | [`row_image`] | one image of an execution's row |
//! | [`property`] | the properties, and a violation of one |
//! | [`excluded`] | an excluded thing has no execution |
//! | [`fleets`] | each thing of a fleet has an execution, and the counts of a fleet are exact |
//! | [`completion`] | accepted executions are stored and end, and nothing stays due |
//! | [`transitions`] | a row changes only as its progress allows |
//! | [`runs`] | an attempt runs once and not after its expiry; requests agree with the rows |
//! | [`reports`] | final reports are in the rows, and final statuses were reported |
//! | [`lane_order`] | a lane sends one execution at a time, and stops after a failure where it must |
//! | [`claims_and_cancels`] | requests are claimed before they are sent; canceled executions do not start |
//! | [`final_state`] | at the end, API, shadows and lanes agree with the rows |

mod claims_and_cancels;
mod completion;
mod entries;
mod excluded;
mod final_state;
mod fleets;
mod lane_order;
mod property;
mod reports;
mod row_image;
mod runs;
#[cfg(test)]
mod tests;
mod transitions;

pub use entries::{
    CancelNotice, Delivery, History, LaneImage, Report, ReportedStatus, Run, ShadowEntry, ShownCounts, ShownExecution,
};
pub use property::{Property, Violation};
pub use row_image::RowImage;

/// Returns every violation of a property in a history.
pub fn violations(history: &History) -> Vec<Violation> {
    [
        excluded::check,
        fleets::check,
        completion::check,
        transitions::check,
        runs::check,
        reports::check,
        lane_order::check,
        claims_and_cancels::check,
        final_state::check,
    ]
    .iter()
    .flat_map(|check| check(history))
    .collect()
}
