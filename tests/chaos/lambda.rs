//! Lambda: containers that run the real handlers, one event at a time each.

use std::{collections::BTreeMap, sync::Arc};

use aws::Connection;
use functions::{command_api, dispatch_commands::Throttle};
use local::template::{self, Template};
use runtime::{
    clients::{Clients, Settings},
    published::PublishedEvents,
};
use tokio::task::AbortHandle;

use crate::{
    handler::Handler,
    invocation::{Invocation, InvocationOutcome},
    mailbox::Mailbox,
    transport::{PendingCall, SimulatedTransport},
};

/// A function of the template.
pub struct Function {
    pub handler: Handler,
    pub settings: template::Function,
}

/// What a function's process keeps between two events.
pub struct Container {
    pub clients: Clients,
    pub api_context: command_api::ApiContext,
    pub throttle: Throttle,
    pub queue: aws::Queue,
}

/// An invocation that runs in a container.
pub struct RunningInvocation {
    /// Number of the start, unique in a schedule.
    pub number: u64,
    pub invocation: Invocation,
    abort: AbortHandle,
}

/// An invocation that has ended: container, number of the start, and outcome.
pub type Ended = (usize, u64, InvocationOutcome);

pub struct Lambda {
    pub functions: Vec<Function>,
    containers: Vec<Arc<Container>>,
    free: Vec<usize>,
    /// By container.
    pub running: BTreeMap<usize, RunningInvocation>,
    calls: Arc<Mailbox<PendingCall>>,
    pub ended: Arc<Mailbox<Ended>>,
    last_number: u64,
    /// Names of the tables of commands and of executions.
    pub tables: (String, String),
    queue_url: String,
    /// Seconds between two runs of the reconciler.
    pub reconcile_seconds: u32,
}

impl Lambda {
    pub fn new(template: &Template, calls: &Arc<Mailbox<PendingCall>>) -> Self {
        let functions: Vec<Function> = template
            .functions
            .iter()
            .filter_map(|settings| {
                let handler = Handler::of_binary(&settings.binary)?;
                Some(Function { handler, settings: settings.clone() })
            })
            .collect();
        let variable = |name: &str| {
            let value = functions.iter().find_map(|function| function.settings.environment.get(name));
            value.unwrap_or_else(|| panic!("template.yaml gives no function the variable {name}")).clone()
        };
        Self {
            tables: (variable("COMMANDS_TABLE"), variable("EXECUTIONS_TABLE")),
            queue_url: variable("TICK_QUEUE_URL"),
            reconcile_seconds: 60,
            functions,
            containers: Vec::new(),
            free: Vec::new(),
            running: BTreeMap::new(),
            calls: calls.clone(),
            ended: Mailbox::new(&calls.wakeup),
            last_number: 0,
        }
    }

    pub fn executions_table(&self) -> &str {
        &self.tables.1
    }

    /// Removes everything that a schedule has left, except the containers.
    pub fn clear(&mut self) {
        // The tasks of these invocations ended with the runtime of the last schedule.
        self.running.clear();
        self.ended.take_all();
        self.free = (0..self.containers.len()).rev().collect();
        self.last_number = 0;
        for container in &mut self.containers {
            // What a process remembers of an earlier schedule would make a seed's outcome depend on it.
            let container = Arc::get_mut(container).expect("no invocation of an earlier schedule runs");
            container.throttle = Throttle::new();
            container.clients.published = PublishedEvents::default();
        }
    }

    /// Index of the function with this ARN; `None` for a function that the simulation leaves out.
    pub fn find(&self, arn: &str) -> Option<usize> {
        self.functions.iter().position(|function| function.settings.arn == arn)
    }

    /// Index of the function with this handler.
    pub fn index_of(&self, handler: Handler) -> usize {
        let index = self.functions.iter().position(|function| function.handler == handler);
        index.unwrap_or_else(|| panic!("template.yaml has no function for {handler:?}"))
    }

    /// Starts an invocation; its container and number.
    pub fn start(&mut self, invocation: Invocation, now_ms: i64) -> (usize, u64) {
        let container = self.free.pop().unwrap_or_else(|| self.add_container());
        self.last_number += 1;
        let number = self.last_number;
        let run = self.functions[invocation.function].handler.run(
            self.containers[container].clone(),
            self.reconcile_seconds,
            now_ms,
            invocation.event.clone(),
            format!("request-{}", invocation.id),
        );
        let ended = self.ended.clone();
        let task = tokio::spawn(run);
        self.running.insert(container, RunningInvocation { number, invocation, abort: task.abort_handle() });
        tokio::spawn(async move {
            match task.await {
                Ok(outcome) => ended.post((container, number, outcome)),
                Err(error) if error.is_panic() => ended.post((container, number, InvocationOutcome::Panicked)),
                Err(_aborted) => {}
            }
        });
        (container, number)
    }

    /// Ends what runs in a container, and frees the container.
    pub fn stop(&mut self, container: usize) -> Option<RunningInvocation> {
        let running = self.running.remove(&container)?;
        running.abort.abort();
        self.free.push(container);
        Some(running)
    }

    fn add_container(&mut self) -> usize {
        // SDK clients draw random numbers when they are made, and an earlier schedule may have made them already: the
        // seed of the SDK must not depend on that.
        let sdk_seed = fastrand::get_seed();
        let container = self.containers.len();
        let connection = Connection::over(SimulatedTransport { container, calls: self.calls.clone() });
        let (commands, executions) = self.tables.clone();
        // Fewer than in the template: a tick reads each shard twice, and most of the queries would find nothing.
        let due_shards = domain::DueShards::new(4).expect("shards");
        let settings = Settings { commands, executions, due_shards, ticks: self.queue_url.clone() };
        self.containers.push(Arc::new(Container {
            clients: Clients::new(&connection, settings),
            api_context: command_api::ApiContext {
                registry: connection.registry(),
                shared_topic: None,
                request_topics: domain::RequestTopics::default(),
            },
            throttle: Throttle::new(),
            queue: connection.queue(self.queue_url.clone()),
        }));
        fastrand::seed(sdk_seed);
        container
    }
}
