//! What is asked for in a model, and what may go wrong in it.

use domain::{
    Asked, By, Command, CommandId, CommandName, Control, Deadlines, Definition, Delivery, Execution, Fingerprint, Lane,
    LaneName, OnFailure, Payload, Retry, ShadowRoute, Target, ThingName, Timestamp, Via,
};

use super::world::World;

/// When the first command is asked for.
pub const BORN: Timestamp = Timestamp::from_seconds(1_700_000_000);
/// The clock goes on by this many seconds: whatever is told apart below is apart by one of these at least.
pub const STEP: i64 = 5;
/// How often what is due is looked for.
pub const TICK: i64 = 10;
/// No handler lives for so long.
pub const LIFE: i64 = 10;
/// A device's clock may be this much behind.
pub const TOLERANCE: i64 = 5;
/// Must have started by, and finished by.
pub const TTL: i64 = 15;
pub const TIMEOUT: i64 = 20;

/// So many seconds after the beginning.
pub fn at(seconds: i64) -> Timestamp {
    BORN.plus_seconds(u32::try_from(seconds).unwrap())
}

/// So many seconds after the beginning, it is then.
pub fn seconds(at: Timestamp) -> i64 {
    at.as_seconds() - BORN.as_seconds()
}

/// A model: its commands, and how much of each thing may happen.
#[derive(Clone)]
pub struct Scenario {
    /// What is asked for: the first at once, the others whenever they come.
    pub commands: Vec<Command>,
    pub via: Via,
    /// The other way, for what was not delivered by the first.
    pub other: Option<ShadowRoute>,
    /// How many of these there may be: handlers at once, reconcilers that find the same row, ...
    pub handlers: usize,
    pub reconcilers: u8,
    /// ... mishaps: a crash, a message that comes twice, a sending that fails, a reboot, a foreign change of a shadow, ...
    pub mishaps: u8,
    /// ... of which there is only the first here, ...
    pub dies_only: bool,
    /// ... people who cancel, with and without force, requests that are repeated, and times that the device comes back.
    pub cancels: u8,
    pub force: bool,
    pub repeats: u8,
    pub returns: u8,
    /// What a device can say of its end, and whether it beats.
    pub fails: bool,
    pub beats: u8,
    pub counts: bool,
    /// It does not say that it has begun.
    pub quiet: bool,
    /// A sending may fail, and so may what a reconciler does.
    pub unsure: bool,
    pub fails_to_settle: bool,
    pub offline: bool,
    pub reboots: bool,
    /// A device may say what it has no reason to say.
    pub babbles: bool,
    /// The clock stops here.
    pub horizon: i64,
    /// What is reached, or the model would show nothing.
    pub reached: Vec<Reached>,
}

/// What has to be reached, and how to tell.
pub type Reached = (&'static str, fn(&Scenario, &World) -> bool);

/// The one thing.
pub fn thing() -> ThingName {
    ThingName::parse("pump-7").unwrap()
}

/// The n-th command, as anybody would ask for it.
pub fn command(n: u8) -> Command {
    Command {
        id: CommandId::from_request(BORN, &format!("request {n}")),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            target: Target::Thing(thing()),
            delivery: Delivery::Direct,
            shadow: None,
            deadlines: Deadlines::new(Some(TTL), Some(TIMEOUT), None).unwrap(),
            retry: None,
            lane: None,
            supersede: false,
        },
        created_at: BORN,
        created_by: By::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
    }
}

/// The same, asked twice if need be.
pub fn retried(mut command: Command, on: &[&'static str]) -> Command {
    let asked = Asked { attempts: Some(2), on: Some(on.to_vec()), wait: Some(5), base: Some(0), cap: Some(0) };
    command.definition.retry = Some(Retry::new(&asked, 15).unwrap());
    command
}

/// The same, with heartbeats.
pub fn beating(mut command: Command) -> Command {
    command.definition.deadlines = Deadlines::new(Some(TTL), Some(TIMEOUT), Some(3)).unwrap();
    command
}

/// The same, in a lane.
pub fn in_lane(mut command: Command, on_failure: OnFailure) -> Command {
    command.definition.lane = Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure });
    command
}

/// The same, with a payload.
pub fn with(mut command: Command, payload: &str) -> Command {
    command.definition.payload = Payload::parse(payload).ok();
    command
}

impl Scenario {
    /// One direct command without mishaps.
    pub fn of(commands: Vec<Command>) -> Self {
        Self {
            commands,
            via: Via::Direct,
            other: None,
            handlers: 2,
            reconcilers: 1,
            mishaps: 0,
            dies_only: false,
            cancels: 0,
            force: false,
            repeats: 0,
            returns: 0,
            fails: false,
            beats: 0,
            counts: false,
            quiet: false,
            unsure: false,
            fails_to_settle: false,
            offline: false,
            reboots: false,
            babbles: false,
            horizon: TIMEOUT + 2 * TICK,
            reached: Vec::new(),
        }
    }

    /// The row that is stored when the n-th command is asked for at this time.
    pub fn create(&self, n: usize, now: i64) -> Execution {
        let command = Command { created_at: at(now), ..self.commands[n].clone() };
        Execution::create(&command, &thing(), self.via.clone(), u32::try_from(TICK).unwrap())
    }
}
