//! The state of one schedule. It reads no clock but tokio's paused one, and draws all random numbers from its seed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use local::{
    broker::{Broker, Published},
    clock::Clock,
    registry::Registry,
    shadows::Shadows,
    streams::Streams,
};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    device::{Device, OutgoingReport},
    event::Event,
    fixture::Fixture,
    history::History,
    mailbox::Mailbox,
    mqtt::ReceivedPacket,
    random::Random,
    scenario::{CLOCK_TOLERANCE_MS, FaultRates, START_MS, Scenario},
    streams::StreamReader,
    transport::PendingCall,
};

/// The operator's state of one command.
#[derive(Clone, Default)]
pub struct CommandState {
    /// Number of requests that failed.
    pub failed_requests: usize,
    /// Number of requests that the API accepted.
    pub accepted_requests: usize,
    /// The command's id, once it is accepted.
    pub id: Option<String>,
}

pub struct World<'a> {
    pub fixture: &'a mut Fixture,
    pub scenario: Scenario,
    /// The fault rates at this time.
    pub fault_rates: FaultRates,
    pub random: Random,
    pub history: History,
    pub devices: Vec<Device>,
    pub broker: Broker,
    pub shadows: Shadows,
    pub data_plane: axum::Router,
    pub registry: axum::Router,
    pub streams: Streams,
    pub readers: Vec<StreamReader>,
    pub received_packets: Arc<Mailbox<ReceivedPacket>>,
    /// Messages that the broker has accepted.
    pub published: mpsc::UnboundedReceiver<Published>,
    /// Reports that devices have sent, by topic and payload.
    pub sent_reports: BTreeMap<(String, String), OutgoingReport>,
    /// By the command's index in the scenario.
    pub commands: Vec<CommandState>,
    /// Ids that a command may have been stored with, each with the command's index in the scenario.
    pub sent_ids: BTreeMap<String, usize>,
    /// Number of failed requests, by the cancel's index in the scenario.
    pub failed_cancels: Vec<usize>,
    /// Messages that were taken from `published` before their turn, each with the index in the history of the report
    /// whose document it is.
    pub taken: VecDeque<(Published, Option<usize>)>,
    pub last_connection: u64,
    pub last_message: u64,
    pub last_request: u64,
    /// Errors that are no property of the history: a panic, an endless schedule, an unexpected HTTP status.
    pub errors: Vec<String>,
    /// Planned events by time; those at the same time in the order in which they were planned.
    pub(super) planned_events: BTreeMap<(i64, u64), Event>,
    last_event: u64,
    pub(super) pending_calls: VecDeque<PendingCall>,
    pub(super) clock: Clock,
    started: Instant,
    trace: Option<Vec<String>>,
}

impl<'a> World<'a> {
    /// Prepares a schedule. To be called in a tokio runtime whose time is paused.
    pub fn new(fixture: &'a mut Fixture, seed: u64, traced: bool) -> Self {
        let mut random = Random::new(seed);
        let scenario = Scenario::draw(seed, &mut random);
        let clock = Clock::manual(START_MS);
        let broker = Broker::new(clock.clone(), None);
        let shadows = Shadows::new(clock.clone(), broker.clone());
        let registry = Registry::new(clock.clone(), fixture.pki.clone(), "us-east-1", "000000000000", "localhost");
        scenario.register(&registry);
        let mut world = Self {
            registry: registry.router(),
            streams: Streams::new(clock.clone(), &fixture.table_definitions),
            readers: Vec::new(),
            data_plane: local::data_plane::router(clock.clone(), broker.clone(), shadows.clone()),
            published: broker.tap(),
            fault_rates: scenario.fault_rates,
            history: History { clock_tolerance_ms: CLOCK_TOLERANCE_MS, ..History::default() },
            devices: scenario.things.iter().cloned().map(Device::new).collect(),
            received_packets: Mailbox::new(&fixture.wakeup),
            sent_reports: BTreeMap::new(),
            commands: vec![CommandState::default(); scenario.commands.len()],
            sent_ids: BTreeMap::new(),
            failed_cancels: vec![0; scenario.cancels.len()],
            taken: VecDeque::new(),
            last_connection: 0,
            last_message: 0,
            last_request: 0,
            errors: Vec::new(),
            planned_events: BTreeMap::new(),
            last_event: 0,
            pending_calls: VecDeque::new(),
            started: Instant::now(),
            trace: traced.then(Vec::new),
            fixture,
            scenario,
            random,
            broker,
            shadows,
            clock,
        };
        world.readers = StreamReader::all(&world);
        world.plan_scenario();
        world
    }

    /// Plans every event of the scenario.
    fn plan_scenario(&mut self) {
        self.fixture.clear();
        let scenario = self.scenario.clone();
        self.trace(|| format!("{scenario:?}"));
        for (number, command) in scenario.commands.iter().enumerate() {
            self.plan_at(command.at_ms, Event::CreateCommand(number));
        }
        for (number, cancel) in scenario.cancels.iter().enumerate() {
            self.plan_at(cancel.at_ms, Event::CancelCommand(number));
        }
        for &(at_ms, thing) in &scenario.foreign_reports {
            self.plan_at(at_ms, Event::SendForeignReport(thing));
        }
        for &(at_ms, thing) in &scenario.foreign_shadow_writes {
            self.plan_at(at_ms, Event::WriteForeignState(thing));
        }
        self.fixture.lambda.reconcile_seconds = scenario.reconcile_seconds;
        self.declare_dialects();
        for (at_ms, scheduled_ms) in scenario.ticks {
            self.plan_at(at_ms, Event::Tick { scheduled_ms });
        }
        for (thing, config) in scenario.things.iter().enumerate() {
            self.plan_at(START_MS, Event::Connect { thing });
            for absence in &config.absences {
                let (duration_ms, loses_power) = (absence.duration_ms, absence.loses_power);
                self.plan_at(absence.at_ms, Event::GoOffline { thing, duration_ms, loses_power });
            }
        }
    }

    pub fn now_ms(&self) -> i64 {
        START_MS + i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Plans an event for a time, or for now if that time has passed.
    pub fn plan_at(&mut self, at_ms: i64, event: Event) {
        self.last_event += 1;
        self.planned_events.insert((at_ms.max(self.now_ms()), self.last_event), event);
    }

    pub fn plan_after(&mut self, delay_ms: i64, event: Event) {
        self.plan_at(self.now_ms() + delay_ms, event);
    }

    /// Adds a line to the trace, if there is one.
    pub fn trace(&mut self, line: impl FnOnce() -> String) {
        let elapsed_ms = self.now_ms() - START_MS;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>4}.{:03} {}", elapsed_ms / 1000, elapsed_ms % 1000, line()));
        }
    }

    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }
}
