//! Applies the reports in a shadow that has changed, and keeps that an update was refused. Only what may be a mistake is
//! counted and kept.

use domain::{ShadowEvent, ShadowRefusal, UnusableReport};
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

/// Nothing is known of what the update would have reported. So it changes no execution, and `?explain` shows it.
pub(super) async fn handle_refusal(driver: &Driver<'_>, refusal: &ShadowRefusal) {
    let report = refusal.report();
    let about = [("thing", refusal.thing.as_str()), ("why", &report.reason)];
    metrics::count(driver.event_time(), &[("ShadowUpdateRefused", 1)], &about);
    unusable::keep(driver, &refusal.thing, report).await;
}
