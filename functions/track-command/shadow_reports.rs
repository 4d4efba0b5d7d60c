//! Applies the reports in a shadow that has changed. Only those that may be mistakes are counted and kept.

use domain::{ShadowEvent, UnusableReport};
use runtime::event_calls::Driver;
use runtime::handler_error::{HandlerError, chain};
use runtime::metrics;

use super::unusable;

/// A report that can't be written does not stop the others; the event is retried.
pub(super) async fn handle(driver: &Driver<'_>, event: &ShadowEvent) -> Result<(), HandlerError> {
    let count = |metric, why: &str| {
        let shadow = event.shadow.as_ref().map(ToString::to_string).unwrap_or_default();
        let about = [("thing", event.thing.as_str()), ("shadow", &shadow), ("why", why)];
        metrics::count(driver.event_time(), &[(metric, 1)], &about);
    };
    let found = event.reports();
    for error in &found.refused {
        let why = chain(error);
        count("ReportUndecodable", &why);
        let report = UnusableReport::new(driver.event_time(), error.execution().as_ref(), &[], &why);
        Box::pin(unusable::keep(driver, &event.thing, report)).await;
    }
    let outcome = driver.apply_shadow(event, &found.reports).await;
    for _ in 0..outcome.unknown {
        count("ReportUnknown", "the thing has no such execution in this shadow");
    }
    outcome.result.map_err(HandlerError::Aws)
}
