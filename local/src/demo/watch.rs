//! Listens to what things are asked and answer, and to how the command stands, as an application would: with an MQTT connection of its own.

use std::sync::Arc;

use device::link::{Endpoint, Event, Link};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::api::Standing;
use super::board::Board;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    status: std::borrow::Cow<'a, str>,
}

/// Starts to listen; the returned receiver is told when the subscriptions stand.
pub(super) fn start(endpoint: &Endpoint, board: Arc<Board>) -> (JoinHandle<()>, oneshot::Receiver<()>) {
    let filters = ["cmd/+/req", "cmd/+/resp", "cmd/commands/+/events"].map(str::to_owned).to_vec();
    let mut link = Link::open(endpoint, "flaghoist-demo", filters);
    let (ready, is_ready) = oneshot::channel();
    let mut ready = Some(ready);
    let task = tokio::spawn(async move {
        while let Some(event) = link.next().await {
            match event {
                Event::Subscribed => {
                    // Whoever waited may have given up.
                    let _ = ready.take().map(|ready| ready.send(()));
                }
                Event::Message { topic, payload, receipt } => {
                    link.acknowledge(receipt);
                    hear(&board, &topic, &payload);
                }
                _ => {}
            }
        }
    });
    (task, is_ready)
}

fn hear(board: &Board, topic: &str, payload: &[u8]) {
    let Some(rest) = topic.strip_prefix("cmd/") else { return };
    if let Some(thing) = rest.strip_suffix("/req") {
        board.asked(thing);
    } else if let Some(thing) = rest.strip_suffix("/resp") {
        let answer = serde_json::from_slice::<Answer<'_>>(payload);
        if answer.is_ok_and(|answer| answer.status != "IN_PROGRESS") {
            board.answered(thing);
        }
    } else if let Ok(standing) = serde_json::from_slice::<Standing>(payload) {
        board.told(standing);
    }
}
