//! An MQTT connection that receives every request, every report and the command's events, as an application's would.

use std::sync::Arc;

use device::link::{Endpoint, Event, Link};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::api::CommandView;
use super::observed::Observed;

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    status: std::borrow::Cow<'a, str>,
}

/// Connects and subscribes; the returned receiver completes when the subscriptions are acknowledged.
pub(super) fn start(endpoint: &Endpoint, observed: Arc<Observed>) -> (JoinHandle<()>, oneshot::Receiver<()>) {
    let filters = ["cmd/+/req", "cmd/+/resp", "cmd/commands/+/events"].map(str::to_owned).to_vec();
    let mut link = Link::open(endpoint, "flaghoist-demo", filters);
    let (subscribed, is_subscribed) = oneshot::channel();
    let mut subscribed = Some(subscribed);
    let task = tokio::spawn(async move {
        while let Some(event) = link.next().await {
            match event {
                Event::Subscribed => {
                    // The receiver is gone if the demo stopped waiting.
                    let _ = subscribed.take().map(|subscribed| subscribed.send(()));
                }
                Event::Message { topic, payload, receipt } => {
                    link.acknowledge(receipt);
                    note(&observed, &topic, &payload);
                }
                _ => {}
            }
        }
    });
    (task, is_subscribed)
}

fn note(observed: &Observed, topic: &str, payload: &[u8]) {
    let Some(rest) = topic.strip_prefix("cmd/") else { return };
    if let Some(thing) = rest.strip_suffix("/req") {
        observed.note_request(thing);
    } else if let Some(thing) = rest.strip_suffix("/resp") {
        let report = serde_json::from_slice::<Report<'_>>(payload);
        if report.is_ok_and(|report| report.status != "IN_PROGRESS") {
            observed.note_final_report(thing);
        }
    } else if let Ok(command) = serde_json::from_slice::<CommandView>(payload) {
        observed.note_command(command);
    }
}
