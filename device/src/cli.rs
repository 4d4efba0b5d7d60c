//! The command line: what can be asked for, and doing it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use device::agent::{Outcome, topic};
use device::client::{Client, Options};
use device::fleet::{Behaviour, Fleet, FleetConfig, Knobs, Stats};
use device::handlers::{Handlers, Job};
use device::link::Endpoint;
use serde_json::json;
use tracing::Level;

type AnyError = Box<dyn Error + Send + Sync>;

const EXAMPLES: &str = "\
Examples, with the local stack running (cargo run -p local):
  device --thing pump-7
  device --thing pump-7 --port 8883 --ca .local/ca.pem --cert pump-7.pem --key pump-7.key
  device --thing pump-7 --fail             every command fails
  device --thing pump-7 --memory pump.json answers repeated requests even after a restart
  device --thing pump-7 --shadow           takes commands from its named shadow cmd as well
  device --thing pump-7 --group pumps      takes broadcasts to the group as well
  device --broadcast-topic device_status/request --answer-topic device_status/response
  device fleet --things 1000 --mixed       things with every kind of trouble";

/// A device that takes commands: the reference for the other end of the wire.
///
/// It listens on cmd/<thing>/req and cmd/<thing>/cancel, and for broadcasts where it is told to, answers on cmd/<thing>/resp, and prints what it does. Any command is accepted and
/// takes --work milliseconds; the answer returns the payload.
#[derive(Debug, Parser)]
#[command(name = "device", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate many things in this process, each with a script drawn from the seed and its name
    #[command(after_help = "Shares are from 0 to 1 and add up to at most 1; the rest simply succeed.")]
    Fleet(Box<Many>),
}

#[derive(Debug, Args)]
struct One {
    /// The thing to be; also the MQTT client id
    #[arg(long, default_value = "pump-7", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    thing: String,
    #[command(flatten)]
    broker: Broker,
    /// Accept only this command; repeat for more (otherwise every command is accepted)
    #[arg(long = "command", value_name = "NAME")]
    commands: Vec<String>,
    /// How long a command takes
    #[arg(long, default_value_t = 100, value_name = "MS")]
    work: u64,
    /// Let every command fail
    #[arg(long)]
    fail: bool,
    /// Take commands from the named shadow cmd as well, and say so there
    #[arg(long)]
    shadow: bool,
    #[command(flatten)]
    broadcasts: Broadcasts,
    /// A command that may run twice: if a restart cuts it short, it is started again; repeat for more
    #[arg(long, value_name = "NAME", requires = "memory")]
    safe_to_repeat: Vec<String>,
    /// Keep what was done in this file, so that a restart forgets nothing
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
    /// Print more: every message and acknowledgement
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Debug, Args)]
struct Broadcasts {
    /// Take broadcasts to this group, on cmd/group/<NAME>/req; repeat for more
    #[arg(long = "group", value_name = "NAME", value_parser = group)]
    groups: Vec<String>,
    /// Take broadcasts on this topic, whatever its name; repeat for more
    #[arg(long = "broadcast-topic", value_name = "TOPIC", value_parser = literal)]
    topics: Vec<String>,
    /// Answer on this topic if a request asks for it, and not only on cmd/<thing>/...; repeat for more
    #[arg(long = "answer-topic", value_name = "TOPIC", value_parser = literal)]
    answers: Vec<String>,
}

fn group(name: &str) -> Result<String, String> {
    let wrong = || "a group's name is 1 to 128 of a-z, A-Z, 0-9, colon, underscore and hyphen".to_owned();
    topic::is_group(name).then(|| name.to_owned()).ok_or_else(wrong)
}

fn literal(text: &str) -> Result<String, String> {
    let wrong = || "a topic is 1 to 256 bytes with at most 7 slashes, and without + and #".to_owned();
    topic::is_literal(text).then(|| text.to_owned()).ok_or_else(wrong)
}

#[derive(Debug, Args)]
struct Broker {
    /// Where the MQTT broker is
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Its port: 1883 for plain TCP, 8883 for TLS
    #[arg(long, default_value_t = 1883)]
    port: u16,
    /// The certificate authority to trust, as PEM; turns on TLS
    #[arg(long, value_name = "FILE", requires_all = ["cert", "key"])]
    ca: Option<PathBuf>,
    /// The device's certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "ca")]
    cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "ca")]
    key: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Many {
    /// How many things
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..).map(|n| n as usize))]
    things: usize,
    /// Names are <PREFIX>-1 and so on
    #[arg(long, default_value = "thing", value_parser = NonEmptyStringValueParser::new())]
    prefix: String,
    /// The same seed and names: the same scripts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    broker: Broker,
    /// A bit of every kind of trouble, instead of the shares below
    #[arg(long)]
    mixed: bool,
    /// Share that try, and fail
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    fail: f64,
    /// Share that take seconds, with heartbeats
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    slow: f64,
    /// Share that say everything twice
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    twice: f64,
    /// Share that answer only after the ttl
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    late: f64,
    /// Share that lose the connection while working, finish, and come back
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    offline: f64,
    /// Share that never connect
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    never_online: f64,
    /// Share that accept, then lose their memory and reconnect
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    crash: f64,
    /// Share that take requests and never answer
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    mute: f64,
    /// Share that do not know the command
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    reject: f64,
    /// Share that fail at the first attempt, and succeed at the next
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    flaky: f64,
    /// Share that accept, then restart with their memory
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    reboot: f64,
    /// Share that say they run after they have said how it ended
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    out_of_order: f64,
    /// Share that are connected for minutes, and gone for minutes
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    come_and_go: f64,
    /// Share that take commands from the named shadow cmd as well; with any trouble, not counted with the others
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    shadow: f64,
    #[command(flatten)]
    broadcasts: Broadcasts,
    /// Share of requests that never reach their thing, and of answers that never leave it
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    loss: f64,
    /// How long after the ttl late things answer
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    late_after: u64,
}

impl Cli {
    pub fn level(&self) -> Level {
        if self.one.verbose { Level::DEBUG } else { Level::INFO }
    }

    pub async fn run(self) -> Result<(), AnyError> {
        match self.command {
            Some(Command::Fleet(many)) => many.run().await,
            None => self.one.run().await,
        }
    }
}

impl Broker {
    fn endpoint(&self) -> Result<Endpoint, AnyError> {
        let mut endpoint = Endpoint::plain(&self.host, self.port);
        if let (Some(ca), Some(cert), Some(key)) = (&self.ca, &self.cert, &self.key) {
            endpoint.tls = Some(device::tls::from_pem(&read(ca)?, &read(cert)?, &read(key)?)?);
        }
        Ok(endpoint)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, AnyError> {
    std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

impl One {
    async fn run(self) -> Result<(), AnyError> {
        let Broker { host, port, .. } = &self.broker;
        let own = format!("cmd/{}/req", self.thing);
        let Broadcasts { groups, topics, .. } = &self.broadcasts;
        let groups = groups.iter().map(|group| topic::group(group));
        let listening: Vec<_> = std::iter::once(own).chain(groups).chain(topics.iter().cloned()).collect();
        println!("{} on {host}:{port}, listening on {}. Ctrl-C ends it.", self.thing, listening.join(", "));
        let client = Client::start(Options {
            endpoint: self.broker.endpoint()?,
            handlers: self.handlers(),
            now: device::system_time(),
            thing: self.thing,
            memory: self.memory,
            shadow: self.shadow,
            groups: self.broadcasts.groups,
            broadcast_topics: self.broadcasts.topics,
            answer_topics: self.broadcasts.answers,
        })?;
        tokio::signal::ctrl_c().await?;
        client.stop().await;
        Ok(())
    }

    fn handlers(&self) -> Handlers {
        let (work, fail) = (Duration::from_millis(self.work), self.fail);
        let handler = move |mut job: Job| async move {
            tokio::select! {
                () = tokio::time::sleep(work) => {}
                () = job.stop.asked() => return Outcome::failed("STOPPED", "canceled"),
            }
            if fail {
                Outcome::failed("ASKED_TO_FAIL", "started with --fail")
            } else {
                Outcome::succeeded(Some(json!({"did": job.command, "with": job.payload})))
            }
        };
        let handlers = match self.commands.is_empty() {
            true => Handlers::default().otherwise(handler),
            false => self.commands.iter().fold(Handlers::default(), |all, name| all.on(name, handler)),
        };
        self.safe_to_repeat.iter().fold(handlers, |all, name| all.safe_to_repeat(name))
    }
}

impl Many {
    async fn run(self) -> Result<(), AnyError> {
        device::files::make_room(self.things as u64, 1)?;
        let mut config = FleetConfig::new(self.broker.endpoint()?, self.things, device::system_time());
        config.knobs = self.knobs();
        config.prefix = self.prefix;
        config.seed = self.seed;
        config.shadow_commands = self.shadow;
        config.groups = self.broadcasts.groups;
        config.broadcast_topics = self.broadcasts.topics;
        config.answer_topics = self.broadcasts.answers;
        config.loss = self.loss;
        config.late_after = Duration::from_secs(self.late_after);
        let fleet = Fleet::start(config).await?;
        let names = fleet.things();
        let connects = |name: &&String| fleet.script(name).is_some_and(|script| script.connects());
        println!("{} of {} things are online. Ctrl-C ends it.", names.iter().filter(connects).count(), names.len());
        for name in names {
            if let Some(script) = fleet.script(name).filter(|script| script.behaviour != Behaviour::Succeeds) {
                println!("  {name} {}", script.behaviour.describe());
            }
        }
        let mut seen = Stats::default();
        let mut every = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                ended = tokio::signal::ctrl_c() => break ended?,
                _ = every.tick() => {
                    let stats = fleet.stats();
                    if stats != seen {
                        let Stats { requests, broadcasts, started, answers, deltas, trimmed, .. } = stats;
                        print!("{requests} requests, {broadcasts} broadcasts, {started} started, {answers} answers, ");
                        println!("{deltas} deltas, {trimmed} trimmed, {} lost", stats.lost_requests + stats.lost_answers);
                        seen = stats;
                    }
                }
            }
        }
        fleet.stop().await;
        Ok(())
    }

    fn knobs(&self) -> Knobs {
        if self.mixed {
            return Knobs::mixed();
        }
        let &Self { fail, slow, twice, late, offline, never_online, crash, mute, reject, .. } = self;
        let &Self { flaky, reboot, out_of_order, come_and_go, .. } = self;
        Knobs {
            fail,
            slow,
            twice,
            late,
            offline,
            never_online,
            crash,
            mute,
            reject,
            flaky,
            reboot,
            out_of_order,
            come_and_go,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn broadcasts_need_groups_and_topics_that_can_be() {
        let parse = |option, value| Cli::try_parse_from(["device", option, value]).map(|cli| cli.one.broadcasts);
        assert_eq!(parse("--group", "pumps").unwrap().groups, ["pumps"]);
        assert_eq!(parse("--broadcast-topic", "device_status/request").unwrap().topics, ["device_status/request"]);
        assert!(parse("--group", "a/b").is_err());
        assert!(parse("--broadcast-topic", "a/#").is_err());
        assert!(parse("--answer-topic", "").is_err());
        assert!(Cli::try_parse_from(["device", "fleet", "--group", "pumps", "--loss", "0.05"]).is_ok());
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        assert!(Cli::try_parse_from(["device", "--ca", "ca.pem", "--cert", "c.pem"]).is_err());
        assert!(Cli::try_parse_from(["device", "--thing", ""]).is_err());
        assert!(Cli::try_parse_from(["device", "fleet", "--things", "0"]).is_err());
        assert!(Cli::try_parse_from(["device", "fleet", "--things", "5", "--mixed"]).is_ok());
    }
}
