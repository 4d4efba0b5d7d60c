//! The AWS clients of a function, and the settings that all functions share.

use aws::{Commands, Connection, CountsTable, Executions, Fleets, Lanes, Messages, Shadows, UnusableReportsTable};

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
    /// The seconds between two runs of the reconciler.
    pub reconcile_seconds: u32,
}

impl Clients {
    /// The clients over a connection. `commands` and `executions` are the names of the tables, `ticks` the URL of the
    /// queue of ticks.
    pub fn new(
        connection: &Connection,
        commands: String,
        executions: &str,
        ticks: String,
        reconcile_seconds: u32,
    ) -> Self {
        Self {
            wakes: Wakes::new(connection.queue(ticks)),
            fleets: connection.fleets(commands.clone()),
            counts: connection.counts(commands.clone()),
            commands: connection.commands(commands),
            executions: connection.executions(executions.to_owned()),
            lanes: connection.lanes(executions.to_owned()),
            unusable_reports: connection.unusable_reports(executions.to_owned()),
            messages: connection.messages(),
            shadows: connection.shadows(),
            published: PublishedEvents::default(),
            reconcile_seconds,
        }
    }

    /// The clients that the environment describes.
    ///
    /// # Errors
    /// [`ConfigError`] if COMMANDS_TABLE, EXECUTIONS_TABLE, TICK_QUEUE_URL or RECONCILE_SECONDS is missing or wrong.
    pub fn from_env(connection: &Connection) -> Result<Self, ConfigError> {
        let commands = config::variable("COMMANDS_TABLE")?;
        let executions = config::variable("EXECUTIONS_TABLE")?;
        let ticks = config::variable("TICK_QUEUE_URL")?;
        let reconcile_seconds = config::number("RECONCILE_SECONDS")?;
        Ok(Self::new(connection, commands, &executions, ticks, reconcile_seconds))
    }
}
