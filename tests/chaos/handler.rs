//! The functions of the template whose real handlers run in the simulation, and how each is called.

use std::sync::Arc;

use functions::{command_api, dispatch_commands, fan_out_command, reconcile_commands, tally_command, track_command};
use runtime::{
    handler_error::{HandlerError, chain},
    stream_event::BatchResponse,
};
use serde::Serialize;
use serde_json::Value;

use crate::{invocation::InvocationOutcome, lambda::Container};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    CommandApi,
    TrackCommand,
    DispatchCommands,
    ReconcileCommands,
    FanOutCommand,
    TallyCommand,
}

impl Handler {
    /// The handler of a binary; `None` for a function that the simulation leaves out.
    pub fn of_binary(binary: &str) -> Option<Self> {
        match binary {
            "command-api" => Some(Self::CommandApi),
            "track-command" => Some(Self::TrackCommand),
            "dispatch-commands" => Some(Self::DispatchCommands),
            "reconcile-commands" => Some(Self::ReconcileCommands),
            "fan-out-command" => Some(Self::FanOutCommand),
            "tally-command" => Some(Self::TallyCommand),
            // It writes nothing.
            "trim-shadow" => None,
            other => panic!("template.yaml has a function {other}: add it to Handler, or to the functions left out"),
        }
    }

    /// Handles one event in a container. The invocation starts at `start_ms`.
    pub async fn run(
        self,
        container: Arc<Container>,
        reconcile_seconds: u32,
        start_ms: i64,
        event: String,
        request_id: String,
    ) -> InvocationOutcome {
        let failed = |error: HandlerError| InvocationOutcome::Failed(chain(&error));
        let clients = container.clients.clone();
        let start = domain::Timestamp::from_millis(start_ms);
        match self {
            Self::CommandApi => {
                let response = command_api::handle(&clients, &container.api_context, &event).await;
                InvocationOutcome::Response(response.status_code, response.body)
            }
            Self::TrackCommand => {
                let handled = track_command::handle(&clients, &event, start, &request_id).await;
                handled.map_or_else(failed, |()| InvocationOutcome::Done)
            }
            Self::DispatchCommands => {
                // No rule brings presence here.
                let (throttle, presence) = (&container.throttle, &dispatch_commands::PresenceShadow::default());
                let topics = &domain::RequestTopics::default();
                let handled =
                    dispatch_commands::handle(&clients, throttle, presence, topics, &event, start, &request_id).await;
                handled.map_or_else(failed, |answer| InvocationOutcome::Batch(failures(&answer)))
            }
            Self::FanOutCommand => {
                let registry = &container.api_context.registry;
                let handled = fan_out_command::handle(&clients, registry, None, &event, start).await;
                handled.map_or_else(failed, |answer| InvocationOutcome::Batch(failures(&answer)))
            }
            Self::TallyCommand => {
                let handled = tally_command::handle(&clients, &event, start).await;
                handled.map_or_else(failed, |answer| InvocationOutcome::Batch(failures(&answer)))
            }
            Self::ReconcileCommands => {
                let seconds = reconcile_seconds.to_string().parse().expect("the scenario's value divides a minute");
                let ticks = reconcile_commands::Ticks::new(container.queue.clone(), seconds);
                match reconcile_commands::handle(&clients, &ticks, &event, start, &request_id).await {
                    Ok(reconcile_commands::Answer::Messages(answer)) if answer != BatchResponse::default() => {
                        InvocationOutcome::Failed("a message failed".to_owned())
                    }
                    handled => handled.map_or_else(failed, |_| InvocationOutcome::Done),
                }
            }
        }
    }
}

/// The sequence numbers of the records that a response fails.
fn failures(answer: &impl Serialize) -> Vec<String> {
    let answer = serde_json::to_value(answer).expect("a response is JSON");
    let failures = answer["batchItemFailures"].as_array().expect("a response lists its failures");
    let number = |failure: &Value| failure["itemIdentifier"].as_str().expect("a failure names its record").to_owned();
    failures.iter().map(number).collect()
}
