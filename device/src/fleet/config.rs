//! The settings of a fleet.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::shares::BehaviourShares;
use crate::clock::{Clock, SleepUntil};
use crate::link::endpoint::Endpoint;

/// The connect timeout for each thousand things, begun or full.
const CONNECT_TIMEOUT_PER_THOUSAND: Duration = Duration::from_secs(60);

/// What a fleet needs.
#[derive(Clone)]
pub struct FleetConfig {
    /// The broker to connect to.
    pub endpoint: Endpoint,
    /// The number of things.
    pub things: usize,
    /// Names are `<prefix>-1` and so on, with leading zeros.
    pub prefix: String,
    /// The same seed and names give the same scripts.
    pub seed: u64,
    /// The share of things with each behaviour.
    pub shares: BehaviourShares,
    /// Reads the time.
    pub clock: Clock,
    /// Waits for a time; `None` polls the clock ten times a second.
    pub sleep_until: Option<SleepUntil>,
    /// Time from the ttl to the report of things that report late.
    pub late_after: Duration,
    /// Things report state in their classic shadow, and follow trimmed deltas.
    pub shadows: bool,
    /// The share of things that take commands from their named shadow `cmd` too, from 0 to 1, with any behaviour.
    pub shadow_commands: f64,
    /// The groups of every thing: it takes their broadcasts.
    pub groups: Vec<String>,
    /// Further topics of broadcasts for every thing, without wildcards.
    pub broadcast_topics: Vec<String>,
    /// Topics beside a thing's own that a request may name in `responseTopic`.
    pub response_topics: Vec<String>,
    /// The share of requests, broadcasts and cancel notices that are lost before a thing receives them, and of reports
    /// that are lost after a thing sent them, from 0 to 1. Reproducible from the seed. Messages of shadows are not
    /// lost.
    pub loss: f64,
    /// How long things that come and go are connected.
    pub online_for: RangeInclusive<Duration>,
    /// How long things that come and go are offline.
    pub offline_for: RangeInclusive<Duration>,
    /// How long `Fleet::start` waits until every thing is connected and subscribed, in real time.
    pub connect_timeout: Duration,
}

impl FleetConfig {
    /// Things that all succeed, with classic shadows, without broadcasts or losses.
    pub fn new(endpoint: Endpoint, things: usize, clock: Clock) -> Self {
        let thousands = u32::try_from(1 + things / 1_000).unwrap_or(u32::MAX);
        Self {
            endpoint,
            things,
            prefix: "thing".to_owned(),
            seed: 1,
            shares: BehaviourShares::default(),
            clock,
            sleep_until: None,
            late_after: Duration::from_secs(120),
            shadows: true,
            shadow_commands: 0.0,
            groups: Vec::new(),
            broadcast_topics: Vec::new(),
            response_topics: Vec::new(),
            loss: 0.0,
            online_for: Duration::from_secs(60)..=Duration::from_secs(600),
            offline_for: Duration::from_secs(60)..=Duration::from_secs(600),
            connect_timeout: CONNECT_TIMEOUT_PER_THOUSAND.saturating_mul(thousands),
        }
    }
}
