//! Listens to what things answer, as an application would: with an MQTT connection of its own.

use std::sync::Arc;

use device::link::{Endpoint, Event, Link};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::board::Board;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    status: std::borrow::Cow<'a, str>,
}

/// Starts to listen; the returned receiver is told when the subscription stands.
pub(super) fn start(endpoint: &Endpoint, board: Arc<Board>) -> (JoinHandle<()>, oneshot::Receiver<()>) {
    let mut link = Link::open(endpoint, "flaghoist-demo", vec!["cmd/+/resp".to_owned()]);
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
                    let thing = topic.strip_prefix("cmd/").and_then(|rest| rest.strip_suffix("/resp"));
                    let answer = serde_json::from_slice::<Answer<'_>>(&payload);
                    if let (Some(thing), Ok(answer)) = (thing, answer) {
                        board.hear(thing, answer.status != "IN_PROGRESS");
                    }
                }
                _ => {}
            }
        }
    });
    (task, is_ready)
}
