//! The AWS clients of a function, and the settings that all functions share.

use aws::{
    Commands, Connection, CountsTable, Executions, Fleets, Lanes, Messages, RawRequestsTable, Shadows,
    UnusableReportsTable,
};
use domain::DueShards;

use crate::config::{self, ConfigError};
use crate::published::PublishedEvents;
use crate::wakes::Wakes;

/// The tables, the messages and the shadows.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The definitions and the control of commands.
    pub commands: Commands,
    /// The plans, batches and lists of names of fleet commands.
    pub fleets: Fleets,
    /// The counts of fleet commands.
    pub counts: CountsTable,
    /// The executions.
    pub executions: Executions,
    /// The queues of lanes.
    pub lanes: Lanes,
    /// The executions of raw requests.
    pub raw_requests: RawRequestsTable,
    /// The last reports of each thing that could not be used.
    pub unusable_reports: UnusableReportsTable,
    /// The messages to devices.
    pub messages: Messages,
    /// The device shadows.
    pub shadows: Shadows,
    /// The wakes on the queue of ticks.
    pub wakes: Wakes,
    /// The progress events that this process has published.
    pub published: PublishedEvents,
}

/// What the clients of a function are made of, as template.yaml passes it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the table of commands.
    pub commands: String,
    /// The name of the table of executions.
    pub executions: String,
    /// The shards of the due index of executions.
    pub due_shards: DueShards,
    /// The URL of the queue of ticks.
    pub ticks: String,
}

impl Clients {
    /// The clients over a connection.
    pub fn new(connection: &Connection, settings: Settings) -> Self {
        let Settings { commands, executions, due_shards, ticks } = settings;
        Self {
            wakes: Wakes::new(connection.queue(ticks)),
            fleets: connection.fleets(commands.clone()),
            counts: connection.counts(commands.clone()),
            commands: connection.commands(commands),
            executions: connection.executions(executions.clone(), due_shards),
            raw_requests: connection.raw_requests(executions.clone()),
            unusable_reports: connection.unusable_reports(executions.clone()),
            lanes: connection.lanes(executions),
            messages: connection.messages(),
            shadows: connection.shadows(),
            published: PublishedEvents::default(),
        }
    }

    /// The clients that the environment describes.
    ///
    /// # Errors
    /// [`ConfigError`] if a variable of [`Settings`] is missing or wrong.
    pub fn from_env(connection: &Connection) -> Result<Self, ConfigError> {
        Ok(Self::new(connection, Settings::from_env()?))
    }
}

impl Settings {
    /// The settings in COMMANDS_TABLE, EXECUTIONS_TABLE, DUE_SHARDS and TICK_QUEUE_URL.
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            commands: config::variable("COMMANDS_TABLE")?,
            executions: config::variable("EXECUTIONS_TABLE")?,
            due_shards: due_shards(config::number("DUE_SHARDS")?)?,
            ticks: config::variable("TICK_QUEUE_URL")?,
        })
    }
}

fn due_shards(number: u32) -> Result<DueShards, ConfigError> {
    let shards = u8::try_from(number).ok().and_then(DueShards::new);
    shards.ok_or(ConfigError::OutOfRange { name: "DUE_SHARDS", range: 1..=u8::MAX.into(), number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_shards_is_within_its_range() {
        assert_eq!(due_shards(64).ok(), DueShards::new(64));
        for number in [0, 256, u32::MAX] {
            let error = due_shards(number).expect_err("out of range").to_string();
            assert_eq!(error, format!("environment variable DUE_SHARDS is {number}, not from 1 to 255"));
        }
    }
}
