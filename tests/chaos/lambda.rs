//! Lambda: containers that hold the real handlers, one event at a time each. The simulation starts, kills and repeats them.

use std::{collections::BTreeMap, sync::Arc};

use aws::Connection;
use functions::{
    cloud::Cloud,
    command_api,
    dispatch_commands::{self, Throttle},
    reconcile_commands::{self, Ticks},
    track_command,
};
use local::template::{self, Template};
use tokio::task::AbortHandle;

use crate::wire::{Call, Desk, Wire};

/// Which handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    CommandApi,
    TrackCommand,
    DispatchCommands,
    ReconcileCommands,
}

impl Handler {
    /// The handler of a binary; none where the simulation leaves a function out.
    pub fn of(binary: &str) -> Option<Self> {
        match binary {
            "command-api" => Some(Self::CommandApi),
            "track-command" => Some(Self::TrackCommand),
            "dispatch-commands" => Some(Self::DispatchCommands),
            "reconcile-commands" => Some(Self::ReconcileCommands),
            // Fleets have proofs of their own.
            "fan-out-command" | "tally-command" | "trim-shadow" => None,
            other => panic!("the simulation does not know the function {other}"),
        }
    }
}

/// A function of the template.
pub struct Function {
    pub handler: Handler,
    pub settings: template::Function,
}

/// Who invoked.
#[derive(Clone, Debug)]
pub enum Caller {
    /// The HTTP API, for the operator's order of this number.
    Operator(usize),
    /// The same, for the operator's cancel of this number.
    Cancel(usize),
    /// The same, to see what became of this order.
    Read(usize),
    /// A rule, for what a device said: the numbers of its words in the history.
    Rule(Vec<usize>),
    Schedule,
    /// The queue of ticks.
    Queue,
}

/// One event on its way through a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's id of the request: the same when it is handled again.
    pub id: u64,
    pub function: usize,
    pub event: String,
    pub caller: Caller,
    pub tries: u8,
}

/// How a handler ended.
pub enum Outcome {
    Answered(u16, String),
    Done,
    Failed(String),
    /// A mistake of its own.
    Panicked,
}

/// What a function holds between two events.
struct Container {
    cloud: Cloud,
    site: command_api::Site,
    throttle: Throttle,
    queue: aws::Queue,
}

pub struct Running {
    pub number: u64,
    pub invocation: Invocation,
    abort: AbortHandle,
}

pub struct Lambda {
    pub functions: Vec<Function>,
    containers: Vec<Arc<Container>>,
    free: Vec<usize>,
    pub running: BTreeMap<usize, Running>,
    calls: Arc<Desk<Call>>,
    pub ended: Arc<Desk<(usize, u64, Outcome)>>,
    last: u64,
    tables: (String, String),
    queue: String,
    /// How many seconds lie between two ticks.
    pub every: u32,
}

impl Lambda {
    pub fn new(template: &Template, calls: &Arc<Desk<Call>>) -> Self {
        let functions: Vec<Function> = template
            .functions
            .iter()
            .filter_map(|settings| {
                Some(Function { handler: Handler::of(&settings.binary)?, settings: settings.clone() })
            })
            .collect();
        let told = |name: &str| {
            let told = functions.iter().find_map(|function| function.settings.environment.get(name));
            told.expect("what the template tells the functions").clone()
        };
        Self {
            tables: (told("COMMANDS_TABLE"), told("EXECUTIONS_TABLE")),
            queue: told("TICK_QUEUE_URL"),
            every: 60,
            functions,
            containers: Vec::new(),
            free: Vec::new(),
            running: BTreeMap::new(),
            calls: calls.clone(),
            ended: Desk::new(&calls.bell),
            last: 0,
        }
    }

    pub fn executions_table(&self) -> &str {
        &self.tables.1
    }

    /// Everything as at the beginning: containers stay, as they do.
    pub fn clear(&mut self) {
        // What a runtime that is gone did not bring to its end.
        self.running.clear();
        self.ended.take();
        self.free = (0..self.containers.len()).rev().collect();
        self.last = 0;
    }

    /// By its ARN, where the simulation knows it.
    pub fn find(&self, arn: &str) -> Option<usize> {
        self.functions.iter().position(|function| function.settings.arn == arn)
    }

    pub fn handled_by(&self, handler: Handler) -> usize {
        self.functions.iter().position(|function| function.handler == handler).expect("a function of the template")
    }

    /// Starts a handler; the container that it runs in, and its number.
    pub fn start(&mut self, invocation: Invocation) -> (usize, u64) {
        let container = self.free.pop().unwrap_or_else(|| self.add());
        self.last += 1;
        let number = self.last;
        let handling = handle(
            self.functions[invocation.function].handler,
            self.containers[container].clone(),
            self.every,
            invocation.event.clone(),
            format!("request-{}", invocation.id),
        );
        let ended = self.ended.clone();
        let task = tokio::spawn(handling);
        self.running.insert(container, Running { number, invocation, abort: task.abort_handle() });
        tokio::spawn(async move {
            match task.await {
                Ok(outcome) => ended.leave((container, number, outcome)),
                Err(error) if error.is_panic() => ended.leave((container, number, Outcome::Panicked)),
                Err(_killed) => {}
            }
        });
        (container, number)
    }

    /// What ran in a container no longer does.
    pub fn stop(&mut self, container: usize) -> Option<Running> {
        let running = self.running.remove(&container)?;
        running.abort.abort();
        self.free.push(container);
        Some(running)
    }

    fn add(&mut self) -> usize {
        // Making clients draws from the SDK's dice, and how many are made depends on what was run before.
        let dice = fastrand::get_seed();
        let container = self.containers.len();
        let connection = Connection::over(Wire { container, desk: self.calls.clone() });
        let (commands, executions) = self.tables.clone();
        self.containers.push(Arc::new(Container {
            cloud: Cloud::new(&connection, commands, &executions, self.every),
            site: command_api::Site { registry: connection.registry(), broadcast_topic: None },
            throttle: Throttle::new(),
            queue: connection.queue(self.queue.clone()),
        }));
        fastrand::seed(dice);
        container
    }
}

async fn handle(handler: Handler, container: Arc<Container>, every: u32, event: String, request_id: String) -> Outcome {
    let told = |failure: functions::failure::Failure| Outcome::Failed(functions::failure::chain(&failure));
    let cloud = Cloud { tick: every, ..container.cloud.clone() };
    match handler {
        Handler::CommandApi => {
            let response = command_api::handle(&cloud, &container.site, &event).await;
            Outcome::Answered(response.status_code, response.body)
        }
        Handler::TrackCommand => {
            track_command::handle(&cloud, &event, &request_id).await.map_or_else(told, |()| Outcome::Done)
        }
        Handler::DispatchCommands => {
            // A device that is back says in its event when.
            let now = domain::Timestamp::from_seconds(0);
            let handled = dispatch_commands::handle(&cloud, &container.throttle, &event, now, &request_id).await;
            handled.map_or_else(told, |_| Outcome::Done)
        }
        Handler::ReconcileCommands => {
            let ticks = Ticks::new(container.queue.clone(), every.to_string().parse().expect("a part of a minute"));
            let run = reconcile_commands::handle(&cloud, &ticks, &event, &request_id).await;
            run.map_or_else(told, |_| Outcome::Done)
        }
    }
}
