//! Random orders and repetitions of requests, cancels and restarts: the agent's guarantees hold.

use proptest::prelude::*;

use super::observer::{Observer, field_of_id};
use super::*;

#[derive(Clone, Debug)]
enum Input {
    Request {
        id: u8,
        attempt: u32,
        expires_in_seconds: i64,
        heartbeat: u32,
        spread: u8,
        command: &'static str,
        channel: Channel,
    },
    Repeat(prop::sample::Index),
    /// `named` says whether the notice names the execution, and whether it names the command.
    Cancel {
        id: u8,
        attempt: u32,
        named: [bool; 2],
    },
    Finish {
        nth: prop::sample::Index,
        succeeds: bool,
    },
    AdvanceMs(i64),
    SessionLost,
    Restart,
    RandomBytes(Channel, Vec<u8>),
}

/// Where a message arrives.
#[derive(Clone, Copy, Debug)]
enum Channel {
    RequestTopic,
    GroupTopic,
    WholeShadow,
    ShadowDelta,
    CancelTopic,
}

impl Channel {
    fn topic(self) -> String {
        match self {
            Self::RequestTopic => topic::request("pump-7"),
            Self::GroupTopic => topic::group("pumps"),
            Self::CancelTopic => topic::cancel("pump-7"),
            Self::WholeShadow => command_shadow::topic("pump-7", "get/accepted"),
            Self::ShadowDelta => command_shadow::topic("pump-7", "update/delta"),
        }
    }

    fn id(self, id: u8) -> String {
        format!("{}{id}", if matches!(self, Self::GroupTopic) { 'c' } else { 'e' })
    }

    fn message(self, id: &str, mut request: Value) -> Vec<u8> {
        match self {
            Self::RequestTopic | Self::CancelTopic | Self::GroupTopic => {
                request[field_of_id(id)] = id.into();
                to_bytes(&request)
            }
            Self::WholeShadow => to_bytes(&json!({"state": {"desired": {"c": {id: request}}}, "version": 1})),
            Self::ShadowDelta => to_bytes(&json!({"state": {"c": {id: request}}, "version": 1})),
        }
    }
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    use Channel::{CancelTopic, GroupTopic, RequestTopic, ShadowDelta, WholeShadow};
    let channel = prop_oneof![
        2 => Just(RequestTopic),
        2 => Just(GroupTopic),
        1 => Just(WholeShadow),
        1 => Just(ShadowDelta),
    ]
    .boxed();
    let command = prop_oneof![6 => Just("reboot"), 2 => Just("ping"), 1 => Just("dance"), 1 => Just("")];
    let request = (0..4u8, 1..4u32, -1..20i64, 0..4u32, 0..20u8, command, channel.clone()).prop_map(
        |(id, attempt, expires_in_seconds, heartbeat, spread, command, channel)| Input::Request {
            id,
            attempt,
            expires_in_seconds,
            heartbeat,
            spread,
            command,
            channel,
        },
    );
    let random_bytes = (prop_oneof![3 => channel, 1 => Just(CancelTopic)], prop::collection::vec(any::<u8>(), 0..40));
    let cancel = (0..4u8, 1..4u32, any::<[bool; 2]>());
    let finish = (any::<prop::sample::Index>(), any::<bool>());
    let input = prop_oneof![
        4 => request,
        4 => any::<prop::sample::Index>().prop_map(Input::Repeat),
        1 => cancel.prop_map(|(id, attempt, named)| Input::Cancel { id, attempt, named }),
        4 => finish.prop_map(|(nth, succeeds)| Input::Finish { nth, succeeds }),
        3 => (0..5_000i64).prop_map(Input::AdvanceMs),
        1 => Just(Input::SessionLost),
        1 => Just(Input::Restart),
        1 => random_bytes.prop_map(|(channel, bytes)| Input::RandomBytes(channel, bytes)),
    ];
    prop::collection::vec(input, 0..60)
}

fn agent_on_all_channels() -> Agent {
    let mut agent = new_agent();
    agent.config.shadow = true;
    agent.config.groups = vec!["pumps".to_owned()];
    agent.config.commands = Some(["reboot".to_owned(), "ping".to_owned()].into());
    agent.config.repeatable = ["ping".to_owned()].into();
    agent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_execution_runs_twice_late_or_after_a_cancel_and_no_outcome_changes(inputs in inputs()) {
        let (mut agent, mut now_ms, mut observer) = (agent_on_all_channels(), NOW_MS, Observer::default());
        let mut sent: Vec<(String, Vec<u8>)> = Vec::new();
        for input in inputs {
            match input {
                Input::Request { id, attempt, expires_in_seconds, heartbeat, spread, command, channel } => {
                    let (id, expires_at) = (channel.id(id), now_ms / 1000 + expires_in_seconds);
                    observer.expiries.insert((id.clone(), attempt, expires_at * 1000));
                    let request = json!({"attempt": attempt, "command": command, "heartbeat": heartbeat,
                                         "expiresAt": expires_at, "spread": spread});
                    let message = (channel.topic(), channel.message(&id, request));
                    observer.check(&agent.on_message(&message.0, &message.1, now_ms), now_ms, false);
                    sent.push(message);
                }
                Input::Cancel { id, attempt, named } => {
                    let mut cancel = json!({"attempt": attempt});
                    let channels = [Channel::RequestTopic, Channel::GroupTopic].into_iter().zip(named);
                    for (channel, _) in channels.filter(|(_, is_named)| *is_named) {
                        let id = channel.id(id);
                        cancel[field_of_id(&id)] = id.clone().into();
                        observer.canceled.insert(id);
                    }
                    let message = (Channel::CancelTopic.topic(), to_bytes(&cancel));
                    observer.check(&agent.on_message(&message.0, &message.1, now_ms), now_ms, false);
                    sent.push(message);
                }
                Input::Repeat(nth) if !sent.is_empty() => {
                    let (topic, message) = nth.get(&sent);
                    observer.check(&agent.on_message(topic, message, now_ms), now_ms, false);
                }
                Input::Finish { nth, succeeds } if !observer.running.is_empty() => {
                    let (id, attempt) = observer.running.remove(nth.index(observer.running.len()));
                    let outcome = if succeeds { Outcome::succeeded(None) } else { Outcome::failed("JAMMED", "") };
                    let mut actions = agent.on_finished(&id, attempt, outcome);
                    observer.check(&actions, now_ms, false);
                    actions.retain(|action| !matches!(action, Action::Publish { .. }));
                    prop_assert_eq!(only_report(&actions).0, if succeeds { "SUCCEEDED" } else { "FAILED" });
                }
                Input::AdvanceMs(by_ms) => {
                    now_ms += by_ms;
                    observer.check(&agent.on_broadcast_due(now_ms), now_ms, false);
                    prop_assert!(agent.next_broadcast_ms().is_none_or(|at_ms| now_ms < at_ms));
                    observer.check(&agent.on_tick(now_ms), now_ms, true);
                    prop_assert!(agent.next_heartbeat_ms().is_none_or(|at_ms| now_ms < at_ms));
                }
                Input::SessionLost => observer.check(&agent.on_session_lost(), now_ms, false),
                Input::Restart => {
                    observer.interrupted = std::mem::take(&mut observer.running);
                    let (restored, actions) = restart(&agent, now_ms);
                    agent = restored;
                    observer.check(&actions, now_ms, false);
                    observer.interrupted.clear();
                }
                Input::RandomBytes(channel, bytes) => {
                    observer.check(&agent.on_message(&channel.topic(), &bytes, now_ms), now_ms, false);
                }
                Input::Repeat(_) | Input::Finish { .. } => {}
            }
            prop_assert_eq!(agent.running_count(), observer.running.len());
        }
    }
}
