//! A simulated device, without any code of the reference agent. This file holds its state, connection and power.
//!
//! It remembers its requests through a loss of power, runs each of them once, and not after its expiry.

mod action;
mod report;
mod requests;
mod shadow;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use action::{Action, OutgoingReport, Request, Timer};

use crate::{
    history::ReportedStatus,
    mqtt::Connection,
    scenario::{Dialect, ReportFormat, StateShadow, ThingConfig},
};

/// An execution in the device's memory.
struct KnownExecution {
    request: Request,
    /// The request as text, which reports of the format `Echo` repeat.
    request_text: String,
    came_in_shadow: bool,
    status: ReportedStatus,
    /// Number of heartbeats.
    seq: u64,
}

pub struct Device {
    pub config: ThingConfig,
    pub connection: Option<Connection>,
    /// Whether the broker has confirmed the subscriptions.
    pub is_subscribed: bool,
    /// The packet whose acknowledgement is lost on this connection.
    pub lost_ack: Option<u16>,
    pub has_power: bool,
    /// Number of losses of power; timers of an earlier boot do nothing.
    pub boot: u32,
    /// Published reports without an acknowledgement, by packet identifier.
    pub unacknowledged: BTreeMap<u16, OutgoingReport>,
    pub last_packet_id: u16,
    memory: BTreeMap<String, KnownExecution>,
    canceled: BTreeSet<String>,
    /// Response topics of the Atlas entries that ran.
    atlas_topics: BTreeSet<String>,
    /// The desired state that the device will adopt.
    pending_state: Option<Value>,
}

impl Device {
    pub fn new(config: ThingConfig) -> Self {
        Self {
            config,
            connection: None,
            is_subscribed: false,
            lost_ack: None,
            has_power: true,
            boot: 0,
            unacknowledged: BTreeMap::new(),
            last_packet_id: 0,
            memory: BTreeMap::new(),
            canceled: BTreeSet::new(),
            atlas_topics: BTreeSet::new(),
            pending_state: None,
        }
    }

    /// The topic filters that it subscribes to.
    pub fn filters(&self) -> Vec<String> {
        let name = &self.config.name;
        let mut filters = vec![format!("cmd/{name}/req"), format!("cmd/{name}/cancel")];
        filters.extend(self.config.group.map(|group| format!("cmd/group/{group}/req")));
        for shadow in self.shadow_topics() {
            filters.extend([format!("{shadow}/get/accepted"), format!("{shadow}/update/delta")]);
        }
        filters
    }

    /// Topic prefixes of the shadows that it reads.
    pub fn shadow_topics(&self) -> Vec<String> {
        let name = &self.config.name;
        let classic = format!("$aws/things/{name}/shadow");
        let commands = self.config.dialect.map(|dialect| match dialect {
            Dialect::Map => format!("{classic}/name/cmd"),
            Dialect::Atlas => classic.clone(),
        });
        let state = self.config.state_shadow.map(|shadow| match shadow {
            StateShadow::Classic => classic.clone(),
            StateShadow::Config => format!("{classic}/name/config"),
        });
        let topics: BTreeSet<String> = commands.into_iter().chain(state).collect();
        topics.into_iter().collect()
    }

    pub fn lose_power(&mut self) {
        self.has_power = false;
        self.boot += 1;
        self.unacknowledged.clear();
        self.pending_state = None;
    }

    /// Starts after a loss of power: what ran has failed, and every report is sent again, because it may have been
    /// lost.
    pub fn start(&mut self) -> Vec<Action> {
        self.has_power = true;
        for known in self.memory.values_mut().filter(|known| known.status == ReportedStatus::InProgress) {
            known.status = ReportedStatus::Failed;
        }
        if self.config.report_format == ReportFormat::WordOnly {
            // A repeated word would be taken for a report about another execution.
            return Vec::new();
        }
        let ids: Vec<String> = self.memory.keys().cloned().collect();
        ids.iter().map(|id| Action::Send(self.report(id))).collect()
    }
}
