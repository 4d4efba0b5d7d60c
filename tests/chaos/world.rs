//! One schedule: what waits, what is chosen next, and what comes of it. Nothing here reads a clock or draws from anywhere but
//! the schedule's dice.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use local::{
    broker::{Broker, Published},
    clock::Clock,
    shadows::Shadows,
};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use crate::{
    device::{Device, Saying, Wake},
    dice::Dice,
    history::{History, Violation},
    lambda::Invocation,
    machine::Machine,
    mqtt::Arrival,
    plan::{EPOCH_MS, Plan, TOLERANCE_MS, Weather},
    verdict::Verdict,
    wire::{Call, Desk, Request},
};

/// Far more than any schedule takes.
const MOST_STEPS: u32 = 100_000;

/// Something that will happen.
pub enum Event {
    /// The operator asks for what he has ordered.
    Ask(usize),
    /// The operator calls one off.
    Cancel(usize),
    /// The operator looks what became of one.
    Read(usize),
    /// Somebody else writes into a thing's shadows.
    Meddle(usize),
    /// An event reaches its function.
    Invoke(Invocation),
    /// Lambda ends a function that takes too long.
    Timeout {
        container: usize,
        number: u64,
    },
    /// The schedule fires, and says that it is this time.
    Tick(i64),
    /// A call that nobody waits for any more is done.
    Late(Request),
    /// The network hands a message to a device.
    Deliver {
        thing: usize,
        connection: u64,
        topic: String,
        payload: bytes::Bytes,
        packet_id: Option<u16>,
    },
    /// A connection breaks.
    Break {
        thing: usize,
        connection: u64,
    },
    Connect {
        thing: usize,
    },
    Away {
        thing: usize,
        for_ms: i64,
        power: bool,
    },
    Back {
        thing: usize,
        power: bool,
    },
    Wake {
        thing: usize,
        life: u32,
        wake: Wake,
    },
}

pub struct World<'a> {
    pub machine: &'a mut Machine,
    pub plan: Plan,
    pub weather: Weather,
    pub dice: Dice,
    pub history: History,
    pub devices: Vec<Device>,
    pub broker: Broker,
    pub shadows: Shadows,
    pub data_plane: axum::Router,
    pub arrivals: Arc<Desk<Arrival>>,
    pub tap: mpsc::UnboundedReceiver<Published>,
    /// What devices have said in these words, on this topic.
    pub sayings: BTreeMap<(String, String), Saying>,
    /// How often each order was asked for in vain, and after its acceptance.
    pub asked: Vec<(usize, usize)>,
    /// The command of each order that was accepted.
    pub commands: Vec<Option<String>>,
    /// How often each cancel was asked for in vain.
    pub canceling: Vec<usize>,
    /// What each thing has said in its shadows, and no rule has seen yet.
    pub said_in_shadow: BTreeMap<String, Vec<usize>>,
    pub last_connection: u64,
    pub last_trace: u64,
    pub last_request: u64,
    pub mistakes: Vec<Violation>,
    agenda: BTreeMap<(i64, u64), Event>,
    last_event: u64,
    calls: VecDeque<Call>,
    bell: Arc<Notify>,
    clock: Clock,
    began: Instant,
    trace: Option<Vec<String>>,
}

impl<'a> World<'a> {
    /// To be called within a runtime whose time is paused.
    pub fn new(machine: &'a mut Machine, seed: u64, traced: bool) -> Self {
        let mut dice = Dice::new(seed);
        let plan = Plan::new(seed, &mut dice);
        let clock = Clock::manual(EPOCH_MS);
        let broker = Broker::new(clock.clone(), None);
        let shadows = Shadows::new(clock.clone(), broker.clone());
        let bell = machine.bell.clone();
        let mut world = Self {
            data_plane: local::data_plane::router(clock.clone(), broker.clone(), shadows.clone()),
            tap: broker.tap(),
            weather: plan.weather,
            history: History { tolerance_ms: TOLERANCE_MS, ..History::default() },
            devices: plan.things.iter().cloned().map(Device::new).collect(),
            arrivals: Desk::new(&bell),
            sayings: BTreeMap::new(),
            asked: vec![(0, 0); plan.orders.len()],
            commands: vec![None; plan.orders.len()],
            canceling: vec![0; plan.cancels.len()],
            said_in_shadow: BTreeMap::new(),
            last_connection: 0,
            last_trace: 0,
            last_request: 0,
            mistakes: Vec::new(),
            agenda: BTreeMap::new(),
            last_event: 0,
            calls: VecDeque::new(),
            began: Instant::now(),
            trace: traced.then(Vec::new),
            machine,
            plan,
            dice,
            broker,
            shadows,
            bell,
            clock,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        self.machine.clear();
        let plan = self.plan.clone();
        self.tell(|| format!("{plan:?}"));
        for (number, order) in plan.orders.iter().enumerate() {
            self.at(order.at_ms, Event::Ask(number));
        }
        for (number, cancel) in plan.cancels.iter().enumerate() {
            self.at(cancel.at_ms, Event::Cancel(number));
        }
        for &(at_ms, thing) in &plan.meddling {
            self.at(at_ms, Event::Meddle(thing));
        }
        self.machine.lambda.every = plan.every;
        self.declare();
        for (at_ms, says_ms) in plan.ticks {
            self.at(at_ms, Event::Tick(says_ms));
        }
        for (thing, plan) in plan.things.iter().enumerate() {
            self.at(EPOCH_MS, Event::Connect { thing });
            for &(at_ms, for_ms, power) in &plan.absences {
                self.at(at_ms, Event::Away { thing, for_ms, power });
            }
        }
    }

    pub fn now_ms(&self) -> i64 {
        EPOCH_MS + i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    pub fn at(&mut self, at_ms: i64, event: Event) {
        self.last_event += 1;
        self.agenda.insert((at_ms.max(self.now_ms()), self.last_event), event);
    }

    pub fn after(&mut self, ms: i64, event: Event) {
        self.at(self.now_ms() + ms, event);
    }

    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        let now_ms = self.now_ms() - EPOCH_MS;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>4}.{:03} {}", now_ms / 1000, now_ms % 1000, line()));
        }
    }

    /// Runs the schedule to its end, then in good weather until nothing can be owed any more.
    pub async fn run(mut self) -> Verdict {
        self.run_until_quiet().await;
        self.tell(|| "the storm is over".to_owned());
        self.weather = Weather::default();
        let last = self.now_ms().max(self.plan.end_ms);
        let minute = last - last % 60_000;
        for n in 1..=8 {
            self.at(minute + n * 60_000, Event::Tick(minute + n * 60_000));
            self.run_until_quiet().await;
            if self
                .history
                .by_row()
                .values()
                .all(|images| images.last().is_some_and(|last| last.text("due_at").is_none()))
            {
                break;
            }
        }
        for order in 0..self.commands.len() {
            self.after(1, Event::Read(order));
        }
        self.run_until_quiet().await;
        self.look_into_shadows();
        self.finish()
    }

    async fn run_until_quiet(&mut self) {
        for step in 0.. {
            if step == MOST_STEPS {
                let why = format!("it does not come to an end within {MOST_STEPS} steps");
                return self.mistakes.push(Violation::of("endless", why));
            }
            self.settle().await;
            self.collect();
            self.calls.retain(Call::is_awaited);
            let now_ms = self.now_ms();
            if now_ms > self.plan.end_ms + 60_000 {
                // No storm lasts for ever.
                self.weather = Weather::default();
            }
            let next_ms = self.agenda.keys().next().map(|(at_ms, _)| *at_ms);
            let is_due = next_ms.is_some_and(|at_ms| at_ms <= now_ms);
            match (self.calls.len(), next_ms) {
                (0, None) if self.machine.lambda.running.is_empty() => return,
                (0, None) => self.bell.clone().notified().await,
                (0, Some(_)) if is_due => self.happen(),
                (0, Some(at_ms)) => self.wait_until(at_ms).await,
                (_, Some(_)) if is_due && self.dice.chance(500) => self.happen(),
                // Whatever comes next overtakes all that is under way.
                (_, Some(at_ms)) if at_ms < now_ms + 5_000 && self.dice.chance(60) => self.wait_until(at_ms).await,
                (waiting, _) => {
                    let chosen = self.dice.below(waiting);
                    if let Some(call) = self.calls.remove(chosen) {
                        self.decide(call);
                    }
                }
            }
        }
    }

    /// Lets everything run that can: time goes on only when nothing can, since the runtime's time is paused.
    async fn settle(&mut self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let ahead = self.now_ms() - self.clock.now_ms();
        self.clock.advance(Duration::from_millis(ahead.max(0).unsigned_abs()));
    }

    /// Until then, or until someone leaves something to do.
    async fn wait_until(&mut self, at_ms: i64) {
        let bell = self.bell.clone();
        let left = Duration::from_millis((at_ms - self.now_ms()).max(0).unsigned_abs());
        tokio::select! {
            biased;
            () = bell.notified() => {}
            () = tokio::time::sleep(left) => {}
        }
    }

    /// What was left for the simulation to find.
    fn collect(&mut self) {
        let calls = self.machine.calls.take();
        self.calls.extend(calls);
        for (container, number, outcome) in self.machine.lambda.ended.take() {
            if self.machine.lambda.running.get(&container).is_some_and(|running| running.number == number)
                && let Some(running) = self.machine.lambda.stop(container)
            {
                self.ended(running.invocation, outcome);
            }
        }
        for arrival in self.arrivals.take() {
            self.arrived(arrival);
        }
        while let Ok(published) = self.tap.try_recv() {
            self.published(published);
        }
    }

    fn happen(&mut self) {
        let Some(((_, _), event)) = self.agenda.pop_first() else { return };
        match event {
            Event::Ask(order) => self.ask(order),
            Event::Cancel(number) => self.cancel(number),
            Event::Read(order) => self.read(order),
            Event::Meddle(thing) => self.meddle(thing),
            Event::Invoke(invocation) => self.invoke(invocation),
            Event::Tick(says_ms) => self.tick(says_ms),
            Event::Timeout { container, number } => {
                if self.machine.lambda.running.get(&container).is_some_and(|running| running.number == number) {
                    self.kill(container, "it took too long");
                }
            }
            Event::Late(request) => self.perform(request, None),
            Event::Deliver { thing, connection, topic, payload, packet_id } => {
                self.deliver(thing, connection, &topic, &payload, packet_id);
            }
            Event::Break { thing, connection } => self.disconnect(thing, Some(connection)),
            Event::Connect { thing } => self.connect(thing),
            Event::Away { thing, for_ms, power } => self.leave(thing, for_ms, power),
            Event::Back { thing, power } => self.come_back(thing, power),
            Event::Wake { thing, life, wake } => self.wake(thing, life, wake),
        }
    }
}
