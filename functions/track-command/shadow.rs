//! What devices say in their shadows. They say all of it again whenever anything in the shadow changes, so most of it is old
//! news, and no news is counted only where it could be a mistake.

use aws::Error;
use domain::{Execution, Key, LaneName, Report, ShadowEvent, ShadowReport, shadow::agrees};

use super::handler::{Heard, finish, turn};
use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    telemetry,
    turn::{Turn, Wrote},
};

/// Whether a shadow rule has selected this.
pub(super) fn is_one(event: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        version: Option<serde::de::IgnoredAny>,
        payload: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Kind>(event).is_ok_and(|kind| kind.version.is_some() && kind.payload.is_none())
}

/// Handles the change of a shadow.
pub(super) async fn handle(cloud: &Cloud, event: &str, request_id: &str) -> Result<(), Failure> {
    let event = ShadowEvent::decode(event).map_err(Failure::Shadow)?;
    let turn = turn(cloud, event.received_at, request_id);
    let count = |metric, why: &str| {
        let shadow = event.shadow.as_ref().map(ToString::to_string).unwrap_or_default();
        let about = [("thing", event.thing.as_str()), ("shadow", &shadow), ("why", why)];
        telemetry::count(event.received_at, &[(metric, 1)], &about);
    };
    let said = event.reports();
    for error in &said.refused {
        count("ReportUndecodable", &chain(error));
    }
    let mut failed = None;
    for said in said.reports {
        match hear(&turn, &said).await {
            Ok(Heard::News | Heard::Old) => {}
            Ok(Heard::Unknown) => count("ReportUnknown", "the thing has no such execution in this shadow"),
            // One that can't be written does not stop the others.
            Err(error) => failed = Some(error),
        }
    }
    if let Err(error) = reconcile(&turn, &event).await {
        failed = Some(error);
    }
    failed.map_or(Ok(()), |error| Err(Failure::Aws(error)))
}

async fn hear(turn: &Turn<'_>, said: &ShadowReport) -> Result<Heard, Error> {
    let ShadowReport { route, report } = said;
    let Some(id) = report.execution.clone() else { return Ok(Heard::Unknown) };
    let row = turn.read(&Key { thing: report.thing.clone(), id }).await?;
    // Some devices echo whatever they find in a shadow: it counts only where the request went this very way.
    let Some(row) = row.filter(|row| row.via.shadow() == Some(route)) else { return Ok(Heard::Unknown) };
    if row.is_terminal() && !row.withdraw {
        // It was withdrawn, and the device has put it back with a late report.
        turn.withdraw(&row).await?;
    }
    let taken = row.takes_up(report);
    let change = taken.as_ref().unwrap_or(report).change(row.key.clone(), turn.now);
    if change.is_terminal() {
        return finish(turn, row, report).await;
    }
    // It has said so before, most of the time: that need not be written to be seen.
    if row.apply(&change).is_none() {
        return Ok(Heard::Old);
    }
    Ok(match turn.write(row, &change).await? {
        Wrote::New(_) => Heard::News,
        Wrote::Old(_) => Heard::Old,
        Wrote::Gone => Heard::Unknown,
    })
}

/// Who was wished to be as the device is now has succeeded.
async fn reconcile(turn: &Turn<'_>, event: &ShadowEvent) -> Result<(), Error> {
    let Some(reported) = event.reported() else { return Ok(()) };
    let lane = LaneName::of_state(event.shadow.as_ref());
    let wishes = turn.cloud.lanes.read(&event.thing, &lane).await?;
    for id in wishes.ids {
        let Some(row) = turn.read(&Key { thing: event.thing.clone(), id }).await? else { continue };
        if wished(turn, &row, reported.get()).await? {
            let report = Report::of_state(row.key.clone(), row.attempt);
            finish(turn, row, &report).await?;
        }
    }
    Ok(())
}

async fn wished(turn: &Turn<'_>, row: &Execution, reported: &str) -> Result<bool, Error> {
    let command = turn.cloud.commands.get(&row.command).await?;
    let payload = command.as_ref().and_then(|command| command.definition.payload.as_ref());
    // What was not written into the shadow by then is not what the device has answered to.
    Ok(row.sent_at.is_some_and(|sent| sent <= turn.now) && payload.is_some_and(|wanted| agrees(wanted, reported)))
}
