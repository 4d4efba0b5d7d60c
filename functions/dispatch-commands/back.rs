//! A device has subscribed, or is connected: what waited for it goes out, the oldest first. Lifecycle events come twice, late and in
//! any order, so an event only says that it is worth looking.

use std::borrow::Cow;

use domain::{By, ThingName, Timestamp, Topic};
use serde::Deserialize;

use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    stopwatch::Stopwatch,
    telemetry,
    turn::Turn,
    unreadable,
};

/// What the lifecycle rules select of `$aws/events/subscriptions/subscribed/<client>` and
/// `$aws/events/presence/connected/<client>`: AWS IoT Core Developer Guide, "Lifecycle events".
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    client_id: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(default)]
    topics: Vec<String>,
    received_at: i64,
}

/// Handles one event. `request_id` is the same when the event is handled again.
pub async fn handle(cloud: &Cloud, event: &str, request_id: &str) -> Result<(), Failure> {
    let event: Event = serde_json::from_str(event).map_err(Failure::Event)?;
    // Not every client is a thing.
    let Ok(thing) = ThingName::parse(&event.client_id) else { return Ok(()) };
    let request = Topic::request(&thing);
    let subscribed = event.event_type == "subscribed";
    if subscribed && !event.topics.iter().any(|filter| request.matches(filter)) {
        return Ok(());
    }
    let (now, since) = (Timestamp::from_millis(event.received_at), Stopwatch::start());
    let found = cloud.executions.waiting(&thing, now).await.map_err(Failure::Aws)?;
    unreadable::tell(now, &thing, &found.unreadable);
    let waiting = found.executions;
    // A device that resumes its session is connected and listens, and never subscribes; any other has yet to subscribe.
    if waiting.is_empty() || !(subscribed || cloud.messages.listens(&thing).await.map_err(Failure::Aws)?) {
        return Ok(());
    }
    let turn = Turn { cloud, now, by: By::function("dispatch-commands"), token: request_id, since };
    let (mut sent, mut failed) = (0, 0);
    for row in waiting {
        match turn.claim_and_send(row).await {
            Ok(Some(_)) => sent += 1,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(error = chain(&error), %thing, "what waited could not be sent");
                failed += 1;
            }
        }
    }
    if sent > 0 {
        telemetry::count(now, &[("ExecutionsReplayed", sent)], &[("thing", thing.as_str())]);
    }
    if failed > 0 { Err(Failure::Incomplete(failed)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::fixtures;

    #[test]
    fn every_good_event_is_one_and_every_bad_one_is_refused() {
        for (name, event) in fixtures("dispatch-commands") {
            let decoded: Result<Event, _> = serde_json::from_str(&event);
            let batches = crate::stream::Event::decode(&event);
            assert_eq!(batches.is_ok(), name.starts_with("good_batch"), "{name}: {batches:?}");
            let understood = decoded.is_ok() || batches.is_ok();
            assert_eq!(understood, name.starts_with("good_"), "{name}: {decoded:?}");
        }
    }
}
