//! The scenario of a check: its commands, and how often each fault may happen.

use domain::{
    Actor, Channel, Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, Fingerprint, Key, Lane,
    LaneName, LaneQueue, OnFailure, Payload, RequestForm, Retry, RetryOptions, ShadowRoute, Target, ThingName,
    Timestamp,
};

use super::{node::Tree, replay::Setting, world::World};

/// When the first command is created.
pub const CREATED_AT: Timestamp = Timestamp::from_seconds(1_700_000_000);
/// The steps of the clock, in seconds: all durations below that matter differ by at least one step.
pub const STEP: i64 = 5;
/// The interval of the reconciler, in seconds.
pub const TICK: i64 = 10;
/// Every handler ends within this time, in seconds: then the clock makes one step while it is at work.
pub const MAX_HANDLER_SECONDS: i64 = 10;
/// AWS applies a write within this time after the handler that has given it up must have ended, in seconds.
pub const LATE_WRITE_SECONDS: i64 = 10;
/// How far a device's clock may be behind, in seconds.
pub const CLOCK_TOLERANCE: i64 = 5;
/// The deadlines of the commands, in seconds.
pub const TTL: i64 = 15;
pub const TIMEOUT: i64 = 20;

/// The instant `seconds` after the creation of the first command.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(CREATED_AT.as_millis() + 1_000 * seconds)
}

/// The seconds from the creation of the first command to an instant.
pub fn seconds(at: Timestamp) -> i64 {
    at.as_seconds() - CREATED_AT.as_seconds()
}

/// The commands of a check, and how often each fault may happen.
#[derive(Clone)]
pub struct Scenario {
    /// The commands. The first is created at time 0.
    pub setting: Setting,
    /// The keys of their executions, which are derived once.
    keys: Vec<Key>,
    /// The shadow of a request whose device is not connected.
    pub fallback_shadow: Option<ShadowRoute>,
    /// The most handlers at a time.
    pub max_handlers: usize,
    /// The reconcilers that may find a due row at one time.
    pub reconcilers: u8,
    /// Faults: a crash, a duplicated message, a failed sending, a reboot, a foreign write to the shadow.
    pub faults: u8,
    /// Messages are not duplicated.
    pub no_duplicates: bool,
    /// Cancels, and whether those of a running execution are forced.
    pub cancels: u8,
    pub force: bool,
    /// Requests that have to leave their shadows early.
    pub withdrawals: u8,
    /// Repeated requests of the creator.
    pub repeats: u8,
    /// Connects of the device, from this time on.
    pub connects: u8,
    pub connects_from: i64,
    /// The further commands are created until this time.
    pub creates_until: i64,
    /// A command is created only once the creator of the one before it is done.
    pub creates_alone: bool,
    /// The most executions in the lane.
    pub lane_length: usize,
    /// Changes of shadows that are no reports.
    pub echoes: u8,
    /// The device may report a failure.
    pub fails: bool,
    /// The heartbeats of the device, and whether they have numbers.
    pub heartbeats: u8,
    pub numbered_heartbeats: bool,
    /// The device does not report its start.
    pub no_start_report: bool,
    /// A sending may be refused, or its result unknown.
    pub sending_fails: bool,
    /// The acknowledgement of a direct message may be lost, or the message too, since its connection is broken.
    pub acknowledgements_lost: bool,
    /// A write that puts a request into a shadow may stay without an answer, and take effect later.
    pub writes_are_late: bool,
    /// No other writer changes the shadow.
    pub no_foreign_writes: bool,
    /// A call of a reconciler may be refused.
    pub reconciler_fails: bool,
    /// Any call may be refused, or stay without an answer.
    pub calls_fail: bool,
    /// Time passes while an event is handled.
    pub elapses: bool,
    /// Every handler ends within this time, in seconds; at most [`MAX_HANDLER_SECONDS`].
    pub handler_seconds: i64,
    /// The device is not connected at first.
    pub offline: bool,
    pub reboots: bool,
    /// The device may send reports without a request.
    pub unfounded_reports: bool,
    /// The last time of the clock.
    pub end: i64,
    /// Worlds that must be reached: otherwise the check would prove nothing.
    pub reached: Vec<Reached>,
    /// The handlers that were ever in flight.
    pub tree: Tree,
}

/// A name, and whether a world is such.
pub type Reached = (&'static str, fn(&Scenario, &World) -> bool);

/// The only thing.
pub fn thing() -> ThingName {
    ThingName::parse("pump-7").unwrap()
}

/// The n-th command.
pub fn command(n: u8) -> Command {
    Command {
        id: CommandId::from_request(CREATED_AT, &format!("request {n}")),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            form: RequestForm::default(),
            target: Target::Thing(thing()),
            delivery: Delivery::Direct,
            shadow: None,
            deadlines: Deadlines::new(Some(TTL), Some(TIMEOUT), None).unwrap(),
            retry: None,
            lane: None,
            supersede: false,
        },
        created_at: CREATED_AT,
        created_by: Actor::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
        audit: Vec::new(),
    }
}

/// The command with a second attempt after these failures.
pub fn retried(mut command: Command, on: &[&'static str]) -> Command {
    let options = RetryOptions { attempts: Some(2), on: Some(on.to_vec()), wait: Some(5), base: Some(0), cap: Some(0) };
    command.definition.retry = Some(Retry::new(&options, 15).unwrap());
    command
}

/// The command with heartbeats.
pub fn with_heartbeats(mut command: Command) -> Command {
    command.definition.deadlines = Deadlines::new(Some(TTL), Some(TIMEOUT), Some(3)).unwrap();
    command
}

/// The command in a lane.
pub fn in_lane(mut command: Command, on_failure: OnFailure) -> Command {
    command.definition.lane = Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure });
    command
}

/// Sends the command on this channel.
fn send_on(command: &mut Command, channel: &Channel) {
    command.definition.shadow = channel.shadow().cloned();
    command.definition.delivery = match channel {
        Channel::Shadow(_) => Delivery::Shadow,
        Channel::Topic => Delivery::Topic,
        Channel::Direct | Channel::Broadcast => Delivery::Direct,
    };
}

/// The command in the classic shadow, in the dialect atlas.
pub fn in_atlas(mut command: Command) -> Command {
    send_on(&mut command, &Channel::Shadow(ShadowRoute::Atlas));
    command
}

/// The command as a desired state of the classic shadow.
pub fn as_state(command: Command, state: &str) -> Command {
    let mut command = with_payload(command, state);
    send_on(&mut command, &Channel::Shadow(ShadowRoute::State(None)));
    command
}

/// The command with a payload.
pub fn with_payload(mut command: Command, payload: &str) -> Command {
    command.definition.payload = Payload::parse(payload).ok();
    command
}

impl Scenario {
    /// The key of the n-th execution.
    pub fn key(&self, n: usize) -> &Key {
        &self.keys[n]
    }

    /// The index of the execution with this id.
    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.id.as_str() == id)
    }

    /// Direct commands without faults.
    pub fn of(commands: Vec<Command>) -> Self {
        Self {
            keys: commands.iter().map(|command| command.key_at(&thing())).collect(),
            setting: Setting { commands, wakes: false },
            fallback_shadow: None,
            max_handlers: 2,
            reconcilers: 1,
            faults: 0,
            no_duplicates: false,
            cancels: 0,
            force: false,
            withdrawals: 0,
            repeats: 0,
            connects: 0,
            connects_from: 0,
            creates_until: 0,
            creates_alone: false,
            lane_length: LaneQueue::MAX_LENGTH,
            echoes: 0,
            fails: false,
            heartbeats: 0,
            numbered_heartbeats: false,
            no_start_report: false,
            sending_fails: false,
            acknowledgements_lost: false,
            writes_are_late: false,
            no_foreign_writes: false,
            reconciler_fails: false,
            calls_fail: false,
            elapses: false,
            handler_seconds: MAX_HANDLER_SECONDS,
            offline: false,
            reboots: false,
            unfounded_reports: false,
            end: TIMEOUT + 2 * TICK,
            reached: Vec::new(),
            tree: Tree::default(),
        }
    }

    /// Sends the commands on this channel.
    pub fn on(mut self, channel: Channel) -> Self {
        for command in &mut self.setting.commands {
            send_on(command, &channel);
        }
        self
    }

    /// Whether the n-th command is sent on this kind of channel; one that is rerouted is not sent there at first.
    pub fn is_on(&self, n: usize, delivery: Delivery) -> bool {
        self.setting.commands[n].definition.delivery == delivery
    }

    /// The shadow into which the n-th request is put, where it is put into one.
    pub fn route(&self, n: usize) -> Option<&ShadowRoute> {
        self.setting.commands[n].definition.shadow.as_ref().or(self.fallback_shadow.as_ref())
    }

    /// Sends the commands through this shadow where the device is not connected.
    pub fn with_fallback(mut self, route: ShadowRoute) -> Self {
        for command in &mut self.setting.commands {
            command.definition.delivery = Delivery::Auto;
        }
        Self { fallback_shadow: Some(route), ..self }
    }
}
