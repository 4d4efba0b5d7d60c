//! Requests are claimed before they are sent, and executions do not start after their cancel notice.
//!
//! A claim fails after a cancel, so a request that was canceled before its claim is never sent.

use super::row_image::CANCELED;
use super::{History, Property, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.images_by_row();
    let mut found = Vec::new();
    for delivery in &history.deliveries {
        let images = rows.get(&(delivery.thing.as_str(), delivery.execution.as_str()));
        let is_claimed = images.into_iter().flatten().any(|image| {
            image.at_ms <= delivery.at_ms && image.attempt() == delivery.attempt && image.text("sent_at").is_some()
        });
        if images.is_some() && !is_claimed {
            let (at_ms, attempt) = (delivery.at_ms, delivery.attempt);
            let entries = format!("attempt {attempt} reached its device at {at_ms}, and no image before has sent_at");
            found.push(Violation::new(Property::RequestIsClaimed, &delivery.thing, &delivery.execution, entries));
        }
    }
    for notice in &history.cancel_notices {
        let mut report = |entries| {
            found.push(Violation::new(Property::CancelIsKept, &notice.thing, &notice.execution, entries));
        };
        let is_canceled = rows.get(&(notice.thing.as_str(), notice.execution.as_str())).is_some_and(|images| {
            images.iter().any(|image| image.at_ms <= notice.at_ms && image.progress().rank == CANCELED)
        });
        if !is_canceled {
            report(format!("its device got a cancel notice at {}, and no image before is CANCELED", notice.at_ms));
        }
        let is_same = |thing: &str, execution: &str| thing == notice.thing && execution == notice.execution;
        for run in history.runs.iter().filter(|run| is_same(&run.thing, &run.execution) && run.at_ms > notice.at_ms) {
            report(format!("it started at {}, after the cancel notice at {}", run.at_ms, notice.at_ms));
        }
    }
    found
}
