//! Rows as they are created: on every channel, with and without heartbeat, retries, lane and batch.

use domain::{
    Actor, Channel, Command, CommandId, CommandName, Control, CreatorToken, Deadlines, Definition, Delivery, Execution,
    Fingerprint, Lane, LaneName, OnFailure, Payload, RequestForm, Retry, RetryOptions, ShadowRoute, Target, ThingName,
    Timestamp,
};
use fastrand::Rng;

/// When every walk begins.
pub const CREATED_AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);
/// Seconds within which an execution must start.
pub const TTL_SECONDS: i64 = 60;
/// Seconds within which an execution must finish.
pub const TIMEOUT_SECONDS: i64 = 600;

/// A new row, different for each seed.
pub fn created(rng: &mut Rng, seed: u64) -> Execution {
    let thing = ThingName::parse(&format!("pump-{seed}")).expect("a name");
    let command = command(rng, seed, &thing);
    let declared = rng.bool().then_some(ShadowRoute::Atlas);
    let channel = Channel::of(&command, declared);
    if rng.u8(..4) == 0 {
        let sent_at = CREATED_AT.plus_seconds(rng.u32(..30));
        return Execution::create_in_batch(&command, &thing, rng.u32(..9), sent_at, channel);
    }
    Execution::create(&command, &thing, channel).stored_by(CreatorToken::new("event-0", seed), CREATED_AT)
}

fn command(rng: &mut Rng, seed: u64, thing: &ThingName) -> Command {
    let delivery =
        rng.choice([Delivery::Direct, Delivery::Topic, Delivery::Shadow, Delivery::Auto, Delivery::Broadcast]);
    let heartbeat = rng.bool().then(|| rng.i64(2..40));
    let on = vec!["NO_RESPONSE", "HEARTBEAT_LOST", "FAILED"];
    let options = RetryOptions { on: Some(on), wait: Some(10), ..RetryOptions::default() };
    let retry = rng.bool().then(|| Retry::new(&options, 60).expect("a policy"));
    let on_failure = rng.choice([OnFailure::Stop, OnFailure::Skip]).expect("one of two");
    let lane = (rng.u8(..3) == 0).then(|| Lane { name: LaneName::parse("valve").expect("a name"), on_failure });
    Command {
        id: CommandId::from_request(CREATED_AT, &format!("request-{seed}")),
        definition: Definition {
            name: CommandName::parse("reboot").expect("a name"),
            payload: Some(Payload::parse(r#"{"delay": 5}"#).expect("JSON")),
            form: RequestForm::default(),
            target: Target::Thing(thing.clone()),
            delivery: delivery.expect("one of them"),
            shadow: None,
            retry,
            lane,
            supersede: false,
            deadlines: Deadlines::new(Some(TTL_SECONDS), Some(TIMEOUT_SECONDS), heartbeat).expect("deadlines"),
        },
        created_at: CREATED_AT,
        created_by: Actor::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
        audit: Vec::new(),
    }
}
