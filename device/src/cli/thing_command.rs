//! `device`: runs one reference device until Ctrl-C.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use device::agent::{Outcome, topic};
use device::client::{Client, Options};
use device::clock::system_clock;
use device::handlers::{Handlers, Job};
use serde_json::json;

use super::broadcast_args::BroadcastArgs;
use super::broker_args::BrokerArgs;

#[derive(Debug, Args)]
pub struct ThingCommand {
    /// The thing's name, which is the MQTT client id too
    #[arg(long, default_value = "pump-7", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    thing: String,
    #[command(flatten)]
    broker: BrokerArgs,
    /// Accept only this command; repeat for more (without it, every command is accepted)
    #[arg(long = "command", value_name = "NAME")]
    commands: Vec<String>,
    /// How long a command runs
    #[arg(long, default_value_t = 100, value_name = "MS")]
    work: u64,
    /// Let every command fail
    #[arg(long)]
    fail: bool,
    /// Take commands from the named shadow cmd too, and declare that in it
    #[arg(long)]
    shadow: bool,
    /// Take on the desired state of the classic shadow, and report it there
    #[arg(long)]
    desired_state: bool,
    #[command(flatten)]
    pub broadcasts: BroadcastArgs,
    /// A command that is safe to run twice: if a restart interrupts it, it is started again; repeat for more
    #[arg(long, value_name = "NAME", requires = "memory")]
    safe_to_repeat: Vec<String>,
    /// Keep executions in this file, so that a restart forgets nothing
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
    /// Log every message and acknowledgement too
    #[arg(long, short)]
    pub verbose: bool,
}

impl ThingCommand {
    pub async fn run(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let BrokerArgs { host, port, .. } = &self.broker;
        let BroadcastArgs { groups, topics, .. } = &self.broadcasts;
        let groups = groups.iter().map(|group| topic::group(group));
        let own = topic::request(&self.thing);
        let request_topics: Vec<_> = std::iter::once(own).chain(groups).chain(topics.iter().cloned()).collect();
        println!("{} on {host}:{port}, subscribed to {}. Ctrl-C ends it.", self.thing, request_topics.join(", "));
        let client = Client::start(Options {
            endpoint: self.broker.endpoint()?,
            handlers: self.handlers(),
            clock: system_clock(),
            thing: self.thing,
            memory_file: self.memory,
            shadow: self.shadow,
            desired_state: self.desired_state,
            groups: self.broadcasts.groups,
            broadcast_topics: self.broadcasts.topics,
            response_topics: self.broadcasts.response_topics,
        })?;
        tokio::signal::ctrl_c().await?;
        client.stop().await;
        Ok(())
    }

    fn handlers(&self) -> Handlers {
        let (work, fails) = (Duration::from_millis(self.work), self.fail);
        let handler = move |mut job: Job| async move {
            tokio::select! {
                () = tokio::time::sleep(work) => {}
                () = job.cancellation.requested() => return Outcome::failed("STOPPED", "the command was canceled"),
            }
            if fails {
                Outcome::failed("ASKED_TO_FAIL", "the device was started with --fail")
            } else {
                Outcome::succeeded(Some(json!({"did": job.command, "with": job.payload})))
            }
        };
        let handlers = match self.commands.is_empty() {
            true => Handlers::default().fallback(handler),
            false => self.commands.iter().fold(Handlers::default(), |handlers, name| handlers.on(name, handler)),
        };
        self.safe_to_repeat.iter().fold(handlers, |handlers, name| handlers.safe_to_repeat(name))
    }
}
